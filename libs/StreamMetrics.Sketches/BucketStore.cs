using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace StreamMetrics.Sketches;

/// <summary>
/// Bucket counts of one sign. Three forms, chosen by what is in it: a list of bucket indices while there are few values (a series with
/// little traffic costs a cache line, not a kilobyte), an array of 32-bit counts, and, after a count passed 2^32, one of 64-bit counts.
/// The form never shows in what is read or encoded.
/// </summary>
struct BucketStore
{
    /// <summary>Most buckets from the lowest to the highest one in use.</summary>
    public const int MaxSpan = 4096;

    const int MaxFew = 32;
    const int Slack = 16;

    // Exactly one form is active: _counts if not null, else _wide if not null, else the list. _spare is all zeros.
    uint[]? _counts;
    ulong[]? _wide;
    int[]? _few;
    uint[]? _spare; // what Clear keeps for the next dense form
    int _offset; // bucket of the first element of _counts or _wide
    int _fewCount;

    readonly bool IsDense => _counts != null || _wide != null;

    /// <summary>Adds one value, if that needs no room; the common case, and nothing else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool TryIncrement(int index)
    {
        var counts = _counts;
        if (counts == null) return false;
        var slot = (uint)(index - _offset);
        if (slot >= (uint)counts.Length || counts[slot] == uint.MaxValue) return false;
        counts[slot]++;
        return true;
    }

    /// <summary>Adds to a bucket. The caller has made sure that the span stays within <see cref="MaxSpan"/>.</summary>
    public void Add(int index, ulong count)
    {
        if (!IsDense)
        {
            if (count == 1 && _fewCount < MaxFew)
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
            for (var i = 0; i < _fewCount; i++)
            {
                low = Math.Min(low, _few![i]);
                high = Math.Max(high, _few[i]);
            }

            return _fewCount > 0;
        }

        int first, last;
        if (_wide != null)
        {
            first = _wide.AsSpan().IndexOfAnyExcept(0ul);
            last = _wide.AsSpan().LastIndexOfAnyExcept(0ul);
        }
        else
        {
            first = _counts.AsSpan().IndexOfAnyExcept(0u);
            last = _counts.AsSpan().LastIndexOfAnyExcept(0u);
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
        if (!other.IsDense && !IsDense && _fewCount + other._fewCount <= MaxFew)
        {
            for (var i = 0; i < other._fewCount; i++) Append(other._few![i] >> shift);
            return;
        }

        if (!IsDense) MakeDense(low >> shift, high >> shift);
        EnsureRoom(low >> shift, high >> shift);
        if (shift == 0 && other._counts != null && _counts != null && TryAddNarrow(ref other, low, high)) return;
        foreach (var (index, count) in other) AddDense(index >> shift, count);
    }

    /// <summary>Makes the buckets 2^shift times as wide.</summary>
    public void Coarsen(int shift)
    {
        if (!IsDense)
        {
            for (var i = 0; i < _fewCount; i++) _few![i] >>= shift;
            return;
        }

        var old = this;
        if (!old.TryGetRange(out var low, out var high)) return;
        _offset = low >> shift;
        _wide = old._wide != null ? new ulong[(high >> shift) - _offset + 1] : null;
        _counts = old._wide == null ? new uint[(high >> shift) - _offset + 1] : null;
        foreach (var (index, count) in old) AddDense(index >> shift, count);
    }

    /// <summary>Empties the store and keeps its memory.</summary>
    public void Clear()
    {
        if (_counts != null)
        {
            _counts.AsSpan().Clear();
            _spare = _counts;
        }

        _counts = null;
        _wide = null;
        _fewCount = 0;
    }

    /// <summary>Buckets in use, ascending.</summary>
    public Enumerator GetEnumerator()
    {
        if (_fewCount > 1) _few.AsSpan(0, _fewCount).Sort();
        return new Enumerator(this);
    }

    /// <summary>Makes room in an empty store for that many buckets in a range, before they are added one by one.</summary>
    public void Reserve(int low, int high, int buckets)
    {
        if (!IsDense && buckets > MaxFew) MakeDense(low, high);
    }

    void Append(int index)
    {
        if (_few == null) _few = new int[4];
        else if (_fewCount == _few.Length) Array.Resize(ref _few, _few.Length * 2);
        _few[_fewCount++] = index;
    }

    void MakeDense(int low, int high)
    {
        if (TryGetRange(out var lowest, out var highest))
        {
            low = Math.Min(low, lowest);
            high = Math.Max(high, highest);
        }

        var span = high - low + 1;
        _counts = _spare != null && _spare.Length >= span ? _spare : new uint[Math.Min(span + 2 * Slack, MaxSpan)];
        _spare = null;
        _offset = low - (_counts.Length - span) / 2;
        for (var i = 0; i < _fewCount; i++) AddDense(_few![i], 1);
        _fewCount = 0;
    }

    void AddDense(int index, ulong count)
    {
        var slot = index - _offset;
        if (_wide == null)
        {
            var sum = _counts![slot] + count;
            if (sum <= uint.MaxValue && sum >= count)
            {
                _counts[slot] = (uint)sum;
                return;
            }

            _wide = new ulong[_counts.Length];
            for (var i = 0; i < _counts.Length; i++) _wide[i] = _counts[i];
            _counts = null;
        }

        _wide[slot] = checked(_wide[slot] + count);
    }

    // Vector addition of two 32-bit arrays; false (and nothing changed) when a count might pass 2^32.
    readonly bool TryAddNarrow(ref BucketStore other, int low, int high)
    {
        var from = other._counts.AsSpan(low - other._offset, high - low + 1);
        var to = _counts.AsSpan(low - _offset, from.Length);
        for (var i = 0; i < from.Length; i++)
        {
            if ((from[i] | to[i]) >> 31 != 0) return false;
        }

        for (var i = 0; i < from.Length; i++) to[i] += from[i];
        return true;
    }

    void EnsureRoom(int low, int high)
    {
        var length = _wide?.Length ?? _counts!.Length;
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
        else _counts = Move(_counts!, wanted, offset);
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
        readonly int[]? _few;
        readonly uint[]? _counts;
        readonly ulong[]? _wide;
        readonly int _offset;
        readonly int _length;
        int _next;

        internal Enumerator(in BucketStore store)
        {
            _counts = store._counts;
            _wide = store._wide;
            _few = store.IsDense ? null : store._few;
            _offset = store._offset;
            _length = store._counts?.Length ?? store._wide?.Length ?? store._fewCount;
        }

        public (int Index, ulong Count) Current { get; private set; }

        public bool MoveNext()
        {
            if (_few != null) return MoveNextFew();
            while (_next < _length)
            {
                var slot = _next++;
                var count = _wide != null ? _wide[slot] : _counts![slot];
                if (count == 0) continue;
                Current = (_offset + slot, count);
                return true;
            }

            return false;
        }

        bool MoveNextFew()
        {
            if (_next >= _length) return false;
            var index = _few![_next];
            var count = 0ul;
            while (_next < _length && _few[_next] == index)
            {
                _next++;
                count++;
            }

            Current = (index, count);
            return true;
        }
    }
}
