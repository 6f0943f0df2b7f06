using System.Buffers;
using System.Runtime.CompilerServices;

namespace StreamMetrics.Sketches;

/// <summary>
/// A quantile sketch: a base-2 exponential histogram as in OpenTelemetry's metrics data model, with exact count, minimum and maximum. It
/// starts at scale 6, where every quantile is within 0.5415 % of a value of that rank, and halves its resolution while the buckets of a
/// sign span more than 4,096 indices. What it holds depends on the set of values only, not on their order or on how they were merged:
/// merging two sketches gives, byte for byte, the sketch of all values. No sum: sums of floating-point numbers are not of that kind, they
/// are kept beside it. Not safe for concurrent use. Not sealed: what keeps more per set of values derives from it, which saves an object.
/// </summary>
public class ExponentialHistogram
{
    // Count = zero count + counts of both stores. Min and Max are NaN exactly while Count is 0.
    internal BucketStore Positive;
    internal BucketStore Negative;
    long _count;
    long _zeroCount;
    double _min = double.PositiveInfinity;
    double _max = double.NegativeInfinity;
    int _shift; // MaxScale - Scale

    /// <summary>Number of values.</summary>
    public long Count => _count;

    /// <summary>Number of values that are zero.</summary>
    public long ZeroCount => _zeroCount;

    /// <summary>Smallest value, exact; NaN when empty.</summary>
    public double Min => _count == 0 ? double.NaN : _min;

    /// <summary>Largest value, exact; NaN when empty.</summary>
    public double Max => _count == 0 ? double.NaN : _max;

    /// <summary>Buckets per power of two are 2^Scale; 6 at first, lower when the values span more than 4,096 buckets. -10 to 6.</summary>
    public int Scale => BucketLayout.MaxScale - _shift;

    /// <summary>Largest relative error of a quantile at this scale.</summary>
    public double MaxRelativeError => BucketLayout.RelativeError(Scale);

    /// <summary>Adds a value.</summary>
    /// <param name="value">Any finite number; negative zero counts as zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">NaN or infinite.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(double value)
    {
        if (!double.IsFinite(value)) ThrowNotFinite(value);
        value += 0.0; // -0.0 becomes 0.0: min and max must not depend on which of them came first
        _count++;
        if (value < _min) _min = value;
        if (value > _max) _max = value;
        if (value > 0)
        {
            var index = BucketLayout.IndexOf(value) >> _shift;
            if (!Positive.TryIncrement(index)) AddSlowly(ref Positive, index);
        }
        else if (value < 0)
        {
            var index = BucketLayout.IndexOf(-value) >> _shift;
            if (!Negative.TryIncrement(index)) AddSlowly(ref Negative, index);
        }
        else
        {
            _zeroCount++;
        }
    }

    /// <summary>Asks the processor to fetch what <see cref="Add"/> will write: a sketch is larger than a cache line, and many are larger than a cache.</summary>
    /// <param name="value">Any finite number.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(double value)
    {
        if (value > 0) Positive.Prefetch(BucketLayout.IndexOf(value) >> _shift);
    }

    /// <summary>Adds all values of another sketch; the other is not changed.</summary>
    /// <param name="other">The other sketch; may be this one.</param>
    public void MergeFrom(ExponentialHistogram other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other._count == 0) return;
        if (ReferenceEquals(this, other)) other = Copy();
        var shift = Math.Max(_shift, other._shift);
        while (!Fits(ref Positive, ref other.Positive, shift - _shift, shift - other._shift)
            || !Fits(ref Negative, ref other.Negative, shift - _shift, shift - other._shift))
        {
            shift++;
        }

        Coarsen(shift - _shift);
        Positive.AddAll(ref other.Positive, shift - other._shift);
        Negative.AddAll(ref other.Negative, shift - other._shift);
        _count = checked(_count + other._count);
        _zeroCount += other._zeroCount;
        if (other._min < _min) _min = other._min;
        if (other._max > _max) _max = other._max;
    }

    /// <summary>
    /// The value of rank max(1, ⌈q·n⌉) in ascending order, within <see cref="MaxRelativeError"/>: the middle of its bucket, clamped to
    /// [Min, Max].
    /// </summary>
    /// <param name="q">0 to 1.</param>
    /// <returns>NaN when empty.</returns>
    /// <exception cref="ArgumentOutOfRangeException">q is not in 0 to 1.</exception>
    public double Quantile(double q)
    {
        if (!(q >= 0 && q <= 1)) throw new ArgumentOutOfRangeException(nameof(q), q, "A quantile is a number from 0 to 1.");
        if (_count == 0) return double.NaN;
        var rank = Math.Clamp((long)Math.Ceiling(q * _count), 1, _count);
        return Math.Clamp(ValueAtRank(rank), _min, _max);
    }

    /// <summary>Empties the sketch and keeps its memory for the next values.</summary>
    public void Clear()
    {
        Positive.Clear();
        Negative.Clear();
        _count = 0;
        _zeroCount = 0;
        _min = double.PositiveInfinity;
        _max = double.NegativeInfinity;
        _shift = 0;
    }

    /// <summary>A sketch of the same values.</summary>
    public ExponentialHistogram Copy()
    {
        var copy = new ExponentialHistogram();
        copy.MergeFrom(this);
        return copy;
    }

    /// <summary>Appends the binary form (docs/formats/sketch.md); equal sketches have equal bytes.</summary>
    /// <param name="output">Receives it.</param>
    public void WriteTo(IBufferWriter<byte> output) => SketchEncoding.Write(this, output);

    /// <summary>The binary form (docs/formats/sketch.md).</summary>
    public byte[] ToArray()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        WriteTo(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads the binary form.</summary>
    /// <param name="bytes">All of it and nothing more.</param>
    /// <exception cref="FormatException">Not a sketch, or one that contradicts itself.</exception>
    public static ExponentialHistogram Read(ReadOnlySpan<byte> bytes)
    {
        var sketch = new ExponentialHistogram();
        SketchEncoding.Read(bytes, sketch);
        return sketch;
    }

    /// <summary>Reads the binary form into this sketch in place of what it held.</summary>
    /// <param name="bytes">All of it and nothing more.</param>
    /// <exception cref="FormatException">Not a sketch, or one that contradicts itself; this sketch is empty then.</exception>
    public void ReadFrom(ReadOnlySpan<byte> bytes)
    {
        Clear();
        try
        {
            SketchEncoding.Read(bytes, this);
        }
        catch (FormatException)
        {
            Clear();
            throw;
        }
    }

    /// <summary>Takes over counts that a decoder has read; the decoder checks them.</summary>
    internal void Load(int scale, long count, long zeroCount, double min, double max)
    {
        _shift = BucketLayout.MaxScale - scale;
        _count = count;
        _zeroCount = zeroCount;
        _min = min;
        _max = max;
    }

    /// <summary>Lowers the scale until both sides keep to the largest span, as every reader of foreign buckets must.</summary>
    internal static int ShiftToFit(int low, int high)
    {
        var shift = 0;
        while ((high >> shift) - (low >> shift) >= BucketStore.MaxSpan) shift++;
        return shift;
    }

    double ValueAtRank(long rank)
    {
        var negatives = 0L;
        foreach (var (_, count) in Negative) negatives += (long)count;
        // Negative values ascend as their buckets descend.
        if (rank <= negatives) return -BucketLayout.Middle(IndexAtRank(ref Negative, negatives - rank + 1), Scale);
        rank -= negatives;
        if (rank <= _zeroCount) return 0;
        return BucketLayout.Middle(IndexAtRank(ref Positive, rank - _zeroCount), Scale);
    }

    static int IndexAtRank(ref BucketStore store, long rank)
    {
        var last = 0;
        foreach (var (index, count) in store)
        {
            last = index;
            rank -= (long)count;
            if (rank <= 0) break;
        }

        return last;
    }

    // Out of line, so that the common case of Add stays small.
    [MethodImpl(MethodImplOptions.NoInlining)]
    void AddSlowly(ref BucketStore store, int index)
    {
        if (store.TryGetRange(out var low, out var high))
        {
            var shift = ShiftToFit(Math.Min(low, index), Math.Max(high, index));
            Coarsen(shift);
            index >>= shift;
        }

        store.Add(index, 1);
    }

    void Coarsen(int shift)
    {
        if (shift == 0) return;
        Positive.Coarsen(shift);
        Negative.Coarsen(shift);
        _shift += shift;
    }

    static bool Fits(ref BucketStore a, ref BucketStore b, int shiftA, int shiftB)
    {
        if (!a.TryGetRange(out var lowA, out var highA) || !b.TryGetRange(out var lowB, out var highB)) return true;
        var low = Math.Min(lowA >> shiftA, lowB >> shiftB);
        var high = Math.Max(highA >> shiftA, highB >> shiftB);
        return high - low < BucketStore.MaxSpan;
    }

    static void ThrowNotFinite(double value) =>
        throw new ArgumentOutOfRangeException(nameof(value), value, "Only finite numbers can be added to a sketch.");
}
