using System.Runtime.CompilerServices;
using StreamMetrics.Contracts.Events;

namespace StreamMetrics.Streams;

/// <summary>
/// Finds the series of an event by the bytes of its identity, without reading them: an open-addressing table (linear probing, at most
/// half full) over a byte arena. It only ever holds what the registry would answer, so emptying it changes no result; that is what it
/// does when it is full, as with metrics whose events all differ in tags that they are not grouped by.
/// </summary>
sealed class SeriesCache
{
    const int MaxEntries = 1 << 18;
    const int MaxBytes = 1 << 26;

    public struct Entry
    {
        public ulong Hash;
        public ulong Lengths;
        public int Start;
        public int Length;
        public Series? Series;
        public bool IsError;
        public bool IsNotNegative;
    }

    Entry[] _entries = new Entry[1024];
    byte[] _bytes = new byte[1 << 16];
    int _count;
    int _used;

    /// <summary>The entry with the bytes that the reader has read last; its series is null when there is none, and may be forgotten.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref Entry Find(EventReader reader, ulong hash)
    {
        var entries = _entries;
        var mask = entries.Length - 1;
        for (var i = (int)hash & mask; ; i = (i + 1) & mask)
        {
            ref var entry = ref entries[i];
            if (entry.Series == null) return ref entry;
            if (entry.Hash == hash && reader.Matches(new ReadOnlySpan<byte>(_bytes, entry.Start, entry.Length), entry.Lengths)) return ref entry;
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
            if (_used + length > _bytes.Length) Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _used + length));
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
