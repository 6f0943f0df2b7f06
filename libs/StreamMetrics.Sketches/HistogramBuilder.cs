namespace StreamMetrics.Sketches;

/// <summary>Makes a sketch from the buckets of a foreign encoding: any scale, indices of OTLP, min and max possibly unknown.</summary>
sealed class HistogramBuilder
{
    public int Scale { get; set; }

    public ulong ZeroCount { get; set; }

    /// <summary>Smallest value; unknown: the outer bound of the outermost bucket. One that lies elsewhere is moved into that bucket.</summary>
    public double? Min { get; set; }

    /// <summary>Largest value, likewise.</summary>
    public double? Max { get; set; }

    public List<(int Index, ulong Count)> Positive { get; } = [];

    public List<(int Index, ulong Count)> Negative { get; } = [];

    public ExponentialHistogram Build()
    {
        if (Scale is < BucketLayout.MinScale or > 20) throw new FormatException($"Scale {Scale} is not in -10 to 20.");
        var shift = Math.Max(0, Scale - BucketLayout.MaxScale);
        while (!Fits(Positive, shift) || !Fits(Negative, shift)) shift++;
        var scale = Scale - shift;
        if (scale < BucketLayout.MinScale) throw new FormatException("The buckets span more than the numbers there are.");
        var sketch = new ExponentialHistogram();
        var count = (UInt128)ZeroCount;
        foreach (var (index, n) in Positive) count += Add(ref sketch.Positive, index >> shift, n, scale);
        foreach (var (index, n) in Negative) count += Add(ref sketch.Negative, index >> shift, n, scale);
        if (count == 0) return new();
        if (count > long.MaxValue) throw new FormatException($"A count of {count} is not possible.");
        var lowest = LowestBounds(sketch, scale);
        var highest = HighestBounds(sketch, scale);
        var min = Math.Clamp(Min ?? lowest.Low, lowest.Low, lowest.High);
        var max = Math.Clamp(Max ?? highest.High, highest.Low, highest.High);
        if (min > max) throw new FormatException($"Min {min:R} is above max {max:R}.");
        sketch.Load(scale, (long)count, (long)ZeroCount, min, max);
        return sketch;
    }

    static ulong Add(ref BucketStore store, int index, ulong count, int scale)
    {
        if (count == 0) return 0;
        BucketLayout.CheckIndex(index, scale);
        if (count > long.MaxValue) throw new FormatException($"A count of {count} is not possible.");
        store.Add(index, count);
        return count;
    }

    static bool Fits(List<(int Index, ulong Count)> buckets, int shift)
    {
        var low = int.MaxValue;
        var high = int.MinValue;
        foreach (var (index, count) in buckets)
        {
            if (count == 0) continue;
            low = Math.Min(low, index >> shift);
            high = Math.Max(high, index >> shift);
        }

        return low > high || (long)high - low < BucketStore.MaxSpan;
    }

    (double Low, double High) LowestBounds(ExponentialHistogram sketch, int scale)
    {
        if (sketch.Negative.TryGetRange(out _, out var high)) return (-Bound(high + 1, scale), Inside(-Bound(high, scale)));
        if (ZeroCount > 0) return (0, 0);
        sketch.Positive.TryGetRange(out var low, out _);
        return (Math.BitIncrement(Bound(low, scale)), Bound(low + 1, scale));
    }

    (double Low, double High) HighestBounds(ExponentialHistogram sketch, int scale)
    {
        if (sketch.Positive.TryGetRange(out _, out var high)) return (Math.BitIncrement(Bound(high, scale)), Bound(high + 1, scale));
        if (ZeroCount > 0) return (0, 0);
        sketch.Negative.TryGetRange(out var low, out _);
        return (-Bound(low + 1, scale), Inside(-Bound(low, scale)));
    }

    // A lower bound of a bucket is not in it.
    static double Inside(double negatedLower) => Math.BitDecrement(negatedLower);

    static double Bound(int index, int scale)
    {
        var bound = BucketLayout.LowerBound(index, scale);
        return double.IsInfinity(bound) ? double.MaxValue : bound;
    }
}
