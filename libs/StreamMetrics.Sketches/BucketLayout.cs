using System.Numerics;
using System.Runtime.CompilerServices;

namespace StreamMetrics.Sketches;

/// <summary>
/// Where a value lies. At scale s the base is b = 2^(2^-s), and bucket i holds b^i &lt; v ≤ b^(i+1), the layout of OTLP exponential
/// histograms (https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram). All boundaries come from one table of
/// 2^(j/64), exact to the last bit, so that every machine puts a value into the same bucket: a logarithm of the runtime's mathematics
/// library would not promise that, and costs more.
/// </summary>
static class BucketLayout
{
    /// <summary>Finest scale: 64 buckets per power of two.</summary>
    public const int MaxScale = 6;

    /// <summary>Coarsest scale (that of OTLP).</summary>
    public const int MinScale = -10;

    const int BucketsPerOctave = 1 << MaxScale;
    const int MantissaBits = 52;
    const int ExponentBias = 1023;
    const long MantissaMask = (1L << MantissaBits) - 1;

    // One cell per value of the top 8 mantissa bits: narrower than the narrowest bucket (1.1 % of an octave's start against 1/256), so
    // that a cell holds one boundary at most and one comparison decides.
    const int CellBits = 8;

    /// <summary>Mantissa bits of 2^(j/64) rounded down, j = 0 … 63, and an end mark.</summary>
    static readonly long[] Boundaries = MakeBoundaries();

    /// <summary>Per cell the number of boundaries that lie below all of it.</summary>
    static readonly byte[] Cells = MakeCells();

    /// <summary>Bucket of a value at <see cref="MaxScale"/>; shift right by the difference for a coarser scale.</summary>
    /// <param name="value">Positive and finite.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int IndexOf(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)(bits >> MantissaBits);
        if (exponent == 0) return IndexOfSubnormal(value);
        var mantissa = bits & MantissaMask;
        int below = Cells[(int)(mantissa >> (MantissaBits - CellBits))];
        if (mantissa > Boundaries[below]) below++;
        return (exponent - ExponentBias) * BucketsPerOctave + below - 1;
    }

    /// <summary>Lower bound (exclusive) of a bucket: b^index.</summary>
    /// <param name="index">Bucket at <paramref name="scale"/>.</param>
    /// <param name="scale">Scale of the index.</param>
    public static double LowerBound(int index, int scale)
    {
        var fine = (long)index << (MaxScale - scale);
        var mantissa = Boundaries[(int)(fine & (BucketsPerOctave - 1))] | (long)ExponentBias << MantissaBits;
        return Math.ScaleB(BitConverter.Int64BitsToDouble(mantissa), (int)(fine >> MaxScale));
    }

    /// <summary>The value whose relative error is the same at both ends of the bucket (l, u]: 2·l·u / (l + u) = l · 2 / (1 + 1/b).</summary>
    /// <param name="index">Bucket at <paramref name="scale"/>.</param>
    /// <param name="scale">Scale of the index.</param>
    public static double Middle(int index, int scale) => LowerBound(index, scale) * (2 / (1 + 1 / LowerBound(1, scale)));

    /// <summary>Largest relative error of <see cref="Middle"/>: (b - 1) / (b + 1).</summary>
    /// <param name="scale">The scale.</param>
    public static double RelativeError(int scale)
    {
        var inverse = 1 / LowerBound(1, scale);
        return (1 - inverse) / (1 + inverse);
    }

    /// <summary>Refuses a bucket that no finite number lies in.</summary>
    /// <param name="index">Bucket at <paramref name="scale"/>.</param>
    /// <param name="scale">Scale of the index.</param>
    /// <exception cref="FormatException">The bucket lies outside.</exception>
    public static void CheckIndex(long index, int scale)
    {
        var low = IndexOf(double.Epsilon) >> (MaxScale - scale);
        var high = IndexOf(double.MaxValue) >> (MaxScale - scale);
        if (index < low || index > high) throw new FormatException($"Bucket {index} of scale {scale} is not in {low} to {high}.");
    }

    static int IndexOfSubnormal(double value)
    {
        const int lift = 54;
        return IndexOf(value * (1L << lift)) - lift * BucketsPerOctave;
    }

    static long[] MakeBoundaries()
    {
        var boundaries = new long[BucketsPerOctave + 1];
        for (var j = 1; j < BucketsPerOctave; j++)
        {
            // The largest m with m^64 ≤ 2^j · 2^(52·64); the estimate is off by one at most.
            var limit = BigInteger.One << (j + MantissaBits * BucketsPerOctave);
            var m = (long)Math.ScaleB(Math.Pow(2, (double)j / BucketsPerOctave), MantissaBits);
            while (BigInteger.Pow(m, BucketsPerOctave) > limit) m--;
            while (BigInteger.Pow(m + 1, BucketsPerOctave) <= limit) m++;
            boundaries[j] = m & MantissaMask;
        }

        boundaries[BucketsPerOctave] = long.MaxValue;
        return boundaries;
    }

    static byte[] MakeCells()
    {
        var cells = new byte[1 << CellBits];
        for (var cell = 0; cell < cells.Length; cell++)
        {
            var start = (long)cell << (MantissaBits - CellBits);
            while (Boundaries[cells[cell]] < start) cells[cell]++;
        }

        return cells;
    }
}
