namespace StreamMetrics.Sketches;

/// <summary>A run of consecutive buckets of a native histogram.</summary>
/// <param name="Offset">Of the first span: its first bucket; of the others: empty buckets since the span before.</param>
/// <param name="Length">Number of buckets.</param>
public readonly record struct BucketSpan(int Offset, uint Length);

/// <summary>
/// The fields of a Prometheus native histogram with integer counts (https://prometheus.io/docs/specs/native_histograms/). Its schema is the
/// sketch's scale; bucket i holds b^(i-1) &lt; v ≤ b^i, so its indices are one above those of OTLP. Prometheus has no min and max.
/// </summary>
public sealed class PrometheusHistogram
{
    /// <summary>Resolution, -4 to 8 in Prometheus.</summary>
    public required int Schema { get; init; }

    /// <summary>Width of the zero bucket; ours holds zeros only.</summary>
    public double ZeroThreshold { get; init; }

    /// <summary>Number of values in the zero bucket.</summary>
    public required ulong ZeroCount { get; init; }

    /// <summary>Number of values.</summary>
    public required ulong Count { get; init; }

    /// <summary>Sum of the values.</summary>
    public required double Sum { get; init; }

    /// <summary>Runs of buckets of positive values.</summary>
    public required IReadOnlyList<BucketSpan> PositiveSpans { get; init; }

    /// <summary>Their counts: the first one, then differences.</summary>
    public required IReadOnlyList<long> PositiveDeltas { get; init; }

    /// <summary>Runs of buckets of negative values, by magnitude.</summary>
    public required IReadOnlyList<BucketSpan> NegativeSpans { get; init; }

    /// <summary>Their counts: the first one, then differences.</summary>
    public required IReadOnlyList<long> NegativeDeltas { get; init; }

    /// <summary>The native histogram of a sketch.</summary>
    /// <param name="sketch">A sketch of scale -4 or finer, as all are that hold values added one by one.</param>
    /// <param name="sum">Sum of its values.</param>
    /// <exception cref="ArgumentException">The sketch is coarser than Prometheus allows.</exception>
    public static PrometheusHistogram From(ExponentialHistogram sketch, double sum)
    {
        ArgumentNullException.ThrowIfNull(sketch);
        if (sketch.Scale < -4) throw new ArgumentException($"Scale {sketch.Scale} is coarser than -4, the coarsest schema of Prometheus.", nameof(sketch));
        var (positiveSpans, positiveDeltas) = ToSpans(ref sketch.Positive);
        var (negativeSpans, negativeDeltas) = ToSpans(ref sketch.Negative);
        return new()
        {
            Schema = sketch.Scale,
            ZeroCount = (ulong)sketch.ZeroCount,
            Count = (ulong)sketch.Count,
            Sum = sum,
            PositiveSpans = positiveSpans,
            PositiveDeltas = positiveDeltas,
            NegativeSpans = negativeSpans,
            NegativeDeltas = negativeDeltas,
        };
    }

    /// <summary>The sketch of this histogram; the bounds of the outermost buckets stand for min and max.</summary>
    /// <exception cref="FormatException">Spans, deltas and count contradict each other.</exception>
    public ExponentialHistogram ToSketch()
    {
        var builder = new HistogramBuilder { Scale = Schema, ZeroCount = ZeroCount };
        FromSpans(PositiveSpans, PositiveDeltas, builder.Positive);
        FromSpans(NegativeSpans, NegativeDeltas, builder.Negative);
        var sketch = builder.Build();
        if ((ulong)sketch.Count != Count) throw new FormatException($"The histogram's count is {Count}, its buckets hold {sketch.Count}.");
        return sketch;
    }

    static (List<BucketSpan> Spans, List<long> Deltas) ToSpans(ref BucketStore store)
    {
        var spans = new List<BucketSpan>();
        var deltas = new List<long>();
        var last = 0L;
        var expected = 0;
        foreach (var (index, count) in store)
        {
            var bucket = index + 1;
            if (spans.Count > 0 && bucket == expected) spans[^1] = spans[^1] with { Length = spans[^1].Length + 1 };
            else spans.Add(new(bucket - expected, 1));
            deltas.Add((long)count - last);
            last = (long)count;
            expected = bucket + 1;
        }

        return (spans, deltas);
    }

    static void FromSpans(IReadOnlyList<BucketSpan> spans, IReadOnlyList<long> deltas, List<(int Index, ulong Count)> buckets)
    {
        var bucket = 0L;
        var next = 0;
        var count = 0L;
        foreach (var span in spans)
        {
            bucket += span.Offset;
            for (var i = 0; i < span.Length; i++)
            {
                if (next == deltas.Count) throw new FormatException($"The spans have more buckets than the {deltas.Count} deltas.");
                count += deltas[next++];
                if (count < 0) throw new FormatException($"Bucket {bucket} has the negative count {count}.");
                if (bucket is < int.MinValue / 2 or > int.MaxValue / 2) throw new FormatException($"Bucket {bucket} is out of range.");
                buckets.Add(((int)bucket++ - 1, (ulong)count));
            }
        }

        if (next != deltas.Count) throw new FormatException($"There are {deltas.Count} deltas for {next} buckets.");
    }
}
