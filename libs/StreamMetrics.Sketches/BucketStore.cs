using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace StreamMetrics.Sketches;

/// <summary>
/// Bucket counts of one sign. Three forms, chosen by what is in it: a list of bucket indices while there are few values (a series with
/// little traffic costs a cache line, not a kilobyte), an array of 32-bit counts, and, after a count passed 2^32, one of 64-bit counts.
/// The form never shows in what is read or encoded. All three are in this one file, over 300 lines, since each operation changes between them.
/// </summary>
struct BucketStore
{
    /// <summary>Most buckets from the lowest to the highest one in use.</summary>
    public const int MaxSpan = 4096;

    const int MaxFew = 32;
    const int Slack = 16;
    const int ArrayHeader = 16; // method table and length

    // Values of _few for the other two forms.
    const int Dense = -1;
    const int Wide = -2;

    // The form: a list of _few bucket indices in _array while _few >= 0; else counts, in _wide if that is there, else in _array, where
    // element i counts bucket _offset + i. A cleared store has a list of none, and keeps an array of zeros.
    uint[]? _array;
    ulong[]? _wide;
    int _offset;
    int _few;

    readonly bool IsDense => _few < 0;

    readonly ReadOnlySpan<uint> Few => _array.AsSpan(0, _few);

    /// <summary>Adds one value, if that needs no room; the common case, and nothing else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool TryIncrement(int index)
    {
        if (_few != Dense) return false;
        var counts = _array!;
        var slot = (uint)(index - _offset);
        if (slot >= (uint)counts.Length || counts[slot] == uint.MaxValue) return false;
        counts[slot]++;
        return true;
    }

    /// <summary>Asks the processor to fetch a bucket's count, which is going to be incremented soon, and the length that guards it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Prefetch(int index)
    {
        if (_few != Dense || !Sse.IsSupported) return;
        // Hints only: nothing is wrong when the array moves meanwhile, or when the address is not within it. What must not happen here is
        // a look at the array, for that is what takes the time.
        var array = *(byte**)Unsafe.AsPointer(ref _array);
        Sse.Prefetch0(array);
        Sse.Prefetch0(array + ArrayHeader + sizeof(uint) * (nint)(index - _offset));
    }

    /// <summary>Adds to a bucket. The caller has made sure that the span stays within <see cref="MaxSpan"/>.</summary>
    public void Add(int index, ulong count)
    {
        if (!IsDense)
        {
            if (count == 1 && _few < MaxFew)
            {
                Append(index);
                return;
            }

            MakeDense(index, index);
        }

        EnsureRoom(index, index);
        AddDense(index, count);
    }

    /// <summary>Lowest and highest bucket in use; false when empty.</summary>
    public readonly bool TryGetRange(out int low, out int high)
    {
        low = int.MaxValue;
        high = int.MinValue;
        if (!IsDense)
        {
            foreach (var index in Few)
            {
                low = Math.Min(low, (int)index);
                high = Math.Max(high, (int)index);
            }

            return _few > 0;
        }

        int first, last;
        if (_wide != null)
        {
            first = _wide.AsSpan().IndexOfAnyExcept(0ul);
            last = _wide.AsSpan().LastIndexOfAnyExcept(0ul);
        }
        else
        {
            first = _array.AsSpan().IndexOfAnyExcept(0u);
            last = _array.AsSpan().LastIndexOfAnyExcept(0u);
        }

        if (first < 0) return false;
        low = _offset + first;
        high = _offset + last;
        return true;
    }

    /// <summary>Adds all of another store, its indices shifted right. The caller has made sure of the span.</summary>
    public void AddAll(ref BucketStore other, int shift)
    {
        if (!other.TryGetRange(out var low, out var high)) return;
        if (!other.IsDense && !IsDense && _few + other._few <= MaxFew)
        {
            foreach (var index in other.Few) Append((int)index >> shift);
            return;
        }

        if (!IsDense) MakeDense(low >> shift, high >> shift);
        EnsureRoom(low >> shift, high >> shift);
        if (shift == 0 && other._few == Dense && _few == Dense && TryAddNarrow(ref other, low, high)) return;
        foreach (var (index, count) in other) AddDense(index >> shift, count);
    }

    /// <summary>Makes the buckets 2^shift times as wide.</summary>
    public void Coarsen(int shift)
    {
        if (!IsDense)
        {
            for (var i = 0; i < _few; i++) _array![i] = (uint)((int)_array[i] >> shift);
            return;
        }

        var old = this;
        if (!old.TryGetRange(out var low, out var high)) return;
        _offset = low >> shift;
        var span = (high >> shift) - _offset + 1;
        if (old._wide != null) _wide = new ulong[span];
        else _array = new uint[span];
        foreach (var (index, count) in old) AddDense(index >> shift, count);
    }

    /// <summary>Empties the store and keeps its memory.</summary>
    public void Clear()
    {
        _array.AsSpan().Clear();
        _wide = null;
        _few = 0;
    }

    /// <summary>Buckets in use, ascending.</summary>
    public Enumerator GetEnumerator()
    {
        if (_few > 1) MemoryMarshal.Cast<uint, int>(_array.AsSpan(0, _few)).Sort();
        return new Enumerator(this);
    }

    /// <summary>Makes room in an empty store for that many buckets in a range, before they are added one by one.</summary>
    public void Reserve(int low, int high, int buckets)
    {
        if (!IsDense && buckets > MaxFew) MakeDense(low, high);
    }

    void Append(int index)
    {
        if (_array == null) _array = new uint[4];
        else if (_few == _array.Length) Array.Resize(ref _array, _array.Length * 2);
        _array[_few++] = (uint)index;
    }

    void MakeDense(int low, int high)
    {
        if (TryGetRange(out var lowest, out var highest))
        {
            low = Math.Min(low, lowest);
            high = Math.Max(high, highest);
        }

        Span<int> few = stackalloc int[MaxFew];
        var count = _few;
        MemoryMarshal.Cast<uint, int>(Few).CopyTo(few);
        var span = high - low + 1;
        if (_array == null || _array.Length < span) _array = new uint[Math.Min(span + 2 * Slack, MaxSpan)];
        else _array.AsSpan(0, count).Clear();
        _offset = low - (_array.Length - span) / 2;
        _few = Dense;
        foreach (var index in few[..count]) _array[index - _offset]++;
    }

    void AddDense(int index, ulong count)
    {
        var slot = index - _offset;
        if (_wide == null)
        {
            var sum = _array![slot] + count;
            if (sum <= uint.MaxValue && sum >= count)
            {
                _array[slot] = (uint)sum;
                return;
            }

            _wide = new ulong[_array.Length];
            for (var i = 0; i < _array.Length; i++) _wide[i] = _array[i];
            _array = null;
            _few = Wide;
        }

        _wide[slot] = checked(_wide[slot] + count);
    }

    // Vector addition of two 32-bit arrays; false (and nothing changed) when a count might pass 2^32.
    readonly bool TryAddNarrow(ref BucketStore other, int low, int high)
    {
        var from = other._array.AsSpan(low - other._offset, high - low + 1);
        var to = _array.AsSpan(low - _offset, from.Length);
        for (var i = 0; i < from.Length; i++)
        {
            if ((from[i] | to[i]) >> 31 != 0) return false;
        }

        for (var i = 0; i < from.Length; i++) to[i] += from[i];
        return true;
    }

    void EnsureRoom(int low, int high)
    {
        var length = _wide?.Length ?? _array!.Length;
        if (low >= _offset && high < _offset + length) return;
        if (TryGetRange(out var lowest, out var highest))
        {
            low = Math.Min(low, lowest);
            high = Math.Max(high, highest);
        }

        var span = high - low + 1;
        Debug.Assert(span <= MaxSpan, "The caller coarsens before it adds.");
        // A quarter more, so that a series settles after few moves.
        var wanted = span <= length ? length : Math.Min(MaxSpan, span + Math.Max(Slack, span / 4));
        var offset = low - (wanted - span) / 2;
        if (_wide != null) _wide = Move(_wide, wanted, offset);
        else _array = Move(_array!, wanted, offset);
        _offset = offset;
    }

    readonly T[] Move<T>(T[] counts, int length, int offset)
    {
        var moved = length == counts.Length ? counts : new T[length];
        if (!TryGetRange(out var low, out var high)) return moved;
        var (from, to, used) = (low - _offset, low - offset, high - low + 1);
        Array.Copy(counts, from, moved, to, used);
        if (!ReferenceEquals(moved, counts)) return moved;
        // Within the same array: what the counts left behind is emptied.
        if (from < to) counts.AsSpan(from, Math.Min(used, to - from)).Clear();
        else counts.AsSpan(Math.Max(from, to + used), from + used - Math.Max(from, to + used)).Clear();
        return counts;
    }

    /// <summary>Walks the buckets in use, ascending.</summary>
    public struct Enumerator
    {
        readonly uint[]? _array;
        readonly ulong[]? _wide;
        readonly int _offset;
        readonly int _length;
        readonly bool _isList;
        int _next;

        internal Enumerator(in BucketStore store)
        {
            _array = store._array;
            _wide = store._wide;
            _isList = !store.IsDense;
            _offset = store._offset;
            _length = _isList ? store._few : store._wide?.Length ?? store._array!.Length;
        }

        public (int Index, ulong Count) Current { get; private set; }

        public bool MoveNext()
        {
            if (_isList) return MoveNextFew();
            while (_next < _length)
            {
                var slot = _next++;
                var count = _wide != null ? _wide[slot] : _array![slot];
                if (count == 0) continue;
                Current = (_offset + slot, count);
                return true;
            }

            return false;
        }

        bool MoveNextFew()
        {
            if (_next >= _length) return false;
            var index = _array![_next];
            var count = 0ul;
            while (_next < _length && _array[_next] == index)
            {
                _next++;
                count++;
            }

            Current = ((int)index, count);
            return true;
        }
    }
}
