using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using StreamMetrics.Contracts.Events;

namespace StreamMetrics.Streams;

/// <summary>
/// Finds the series of an event by the bytes of its identity, without reading them: an open-addressing table (linear probing, at most
/// half full) over a byte arena. It only ever holds what the registry and the panes would answer, so emptying it changes no result; that
/// is what it does when it is full, as with metrics whose events all differ in tags that they are not grouped by.
/// </summary>
sealed class SeriesCache
{
    const long NoPane = -2;
    const int MaxEntries = 1 << 18;
    const int MaxBytes = 1 << 26;

    /// <summary>
    /// What is known of an identity. The cells of the pane that it had its last event in are here too: they lie scattered, and the way to
    /// them through the pane's table would be a chain of cache misses.
    /// </summary>
    public struct Entry
    {
        public ulong Hash;
        public ulong Lengths;
        public Series? Series;
        public CellTable? Table;
        public Accumulator? Cell;
        public Accumulator? TotalCell;

        /// <summary>Pane of the cells; they belong to it as long as it is open.</summary>
        public long Pane;
        public int Start;
        public int Length;
        public int Id;
        public int TotalId;
        public bool IsError;
        public bool IsNotNegative;
        public bool IsMisrouted;
    }

    Entry[] _entries = new Entry[1024];
    byte[] _bytes = new byte[1 << 16];
    int _count;
    int _used;

    /// <summary>Asks the processor to fetch what <see cref="Find"/> will look at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Prefetch(ulong hash)
    {
        if (!Sse.IsSupported) return;
        // A hint only: nothing is wrong when the array moves meanwhile.
        ref var entry = ref _entries[(int)hash & (_entries.Length - 1)];
        Sse.Prefetch0(Unsafe.AsPointer(ref entry));
        Sse.Prefetch0((byte*)Unsafe.AsPointer(ref entry) + 64);
    }

    /// <summary>The entry with the bytes that the reader has read last; its series is null when there is none, and may be forgotten.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref Entry Find(EventReader reader, ulong hash)
    {
        var entries = _entries;
        var mask = entries.Length - 1;
        ref var bytes = ref MemoryMarshal.GetArrayDataReference(_bytes);
        for (var i = (int)hash & mask; ; i = (i + 1) & mask)
        {
            ref var entry = ref entries[i];
            if (entry.Series == null) return ref entry;
            if (entry.Hash == hash && reader.Matches(ref Unsafe.Add(ref bytes, entry.Start), entry.Length, entry.Lengths)) return ref entry;
        }
    }

    /// <summary>Notes the series of the bytes that the reader has read last.</summary>
    public void Set(EventReader reader, ulong hash, Series series, EventIdentity identity)
    {
        var length = reader.IdentityLength;
        if (_count >= MaxEntries || _used + length > MaxBytes) Clear();
        if (2 * _count >= _entries.Length) Grow();
        ref var entry = ref Find(reader, hash);
        if (entry.Series == null)
        {
            if (_used + length + EventReader.IdentityPadding > _bytes.Length) Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _used + length + EventReader.IdentityPadding));
            reader.CopyIdentity(_bytes.AsSpan(_used, length));
            entry.Hash = hash;
            entry.Lengths = reader.IdentityLengths;
            entry.Start = _used;
            entry.Length = length;
            entry.IsError = identity.IsError;
            entry.IsNotNegative = identity.IsNotNegative;
            _used += length;
            _count++;
        }

        entry.Series = series;
        entry.Pane = NoPane;
        entry.IsMisrouted = series.Service.IsMisrouted;
    }

    void Grow()
    {
        var old = _entries;
        _entries = new Entry[2 * old.Length];
        foreach (var entry in old)
        {
            if (entry.Series == null) continue;
            var i = (int)entry.Hash & (_entries.Length - 1);
            while (_entries[i].Series != null) i = (i + 1) & (_entries.Length - 1);
            _entries[i] = entry;
        }
    }

    void Clear()
    {
        _entries = new Entry[1024];
        _bytes = new byte[1 << 16];
        _count = 0;
        _used = 0;
    }
}
