using System.Buffers;

namespace StreamMetrics.Sketches;

/// <summary>
/// The binary form (docs/formats/sketch.md): version 1, flags, scale, zero count, min, max, then per sign the buckets as tokens.
/// A token with a clear low bit is the count of the next bucket; one with a set low bit skips empty buckets. There is one way to write a
/// sketch, and only that is read.
/// </summary>
static class SketchEncoding
{
    const byte Version = 1;
    const byte HasPositive = 1;
    const byte HasNegative = 2;
    const byte HasValues = 4;

    public static void Write(ExponentialHistogram sketch, IBufferWriter<byte> output)
    {
        var writer = new ByteWriter(output);
        var positives = sketch.Positive.TryGetRange(out var positiveLow, out var positiveHigh);
        var negatives = sketch.Negative.TryGetRange(out var negativeLow, out var negativeHigh);
        writer.Byte(Version);
        writer.Byte((byte)((positives ? HasPositive : 0) | (negatives ? HasNegative : 0) | (sketch.Count > 0 ? HasValues : 0)));
        if (sketch.Count > 0)
        {
            writer.Signed(sketch.Scale);
            writer.Varint((ulong)sketch.ZeroCount);
            writer.Double(sketch.Min);
            writer.Double(sketch.Max);
            if (positives) WriteBuckets(ref writer, ref sketch.Positive, positiveLow, positiveHigh);
            if (negatives) WriteBuckets(ref writer, ref sketch.Negative, negativeLow, negativeHigh);
        }

        writer.Flush();
    }

    public static void Read(ReadOnlySpan<byte> bytes, ExponentialHistogram sketch)
    {
        var reader = new ByteReader(bytes, canonical: true);
        var version = reader.Byte();
        if (version != Version) throw new FormatException($"Sketch version {version} is not known; this program reads version {Version}.");
        var flags = reader.Byte();
        if (flags > (HasPositive | HasNegative | HasValues)) throw new FormatException($"Sketch flags {flags} are not known.");
        if ((flags & HasValues) == 0)
        {
            if (flags != 0 || !reader.AtEnd) throw new FormatException("A sketch without values has nothing after its flags.");
            return;
        }

        var scale = reader.Signed();
        if (scale is < BucketLayout.MinScale or > BucketLayout.MaxScale) throw new FormatException($"Scale {scale} is not in -10 to 6.");
        var zeros = reader.Varint();
        var min = reader.Double();
        var max = reader.Double();
        var count = (UInt128)zeros;
        if ((flags & HasPositive) != 0) count += ReadBuckets(ref reader, ref sketch.Positive, (int)scale);
        if ((flags & HasNegative) != 0) count += ReadBuckets(ref reader, ref sketch.Negative, (int)scale);
        if (!reader.AtEnd) throw new FormatException($"{reader.Remaining} bytes follow the sketch.");
        if (count == 0 || count > long.MaxValue) throw new FormatException($"A count of {count} is not possible.");
        CheckRange((int)scale, min, max, sketch, zeros);
        sketch.Load((int)scale, (long)count, (long)zeros, min, max);
    }

    static void WriteBuckets(ref ByteWriter writer, ref BucketStore store, int low, int high)
    {
        writer.Signed(low);
        writer.Varint((ulong)(high - low));
        var expected = low;
        foreach (var (index, count) in store)
        {
            if (index > expected) writer.Varint((ulong)(index - expected) << 1 | 1);
            // The count's top bit would be lost; 2^63 values are out of reach.
            writer.Varint(count << 1);
            expected = index + 1;
        }
    }

    static UInt128 ReadBuckets(ref ByteReader reader, ref BucketStore store, int scale)
    {
        var low = reader.Signed();
        var width = reader.Varint();
        if (width >= BucketStore.MaxSpan) throw new FormatException($"The buckets span more than {BucketStore.MaxSpan}.");
        var high = low + (long)width;
        BucketLayout.CheckIndex(low, scale);
        BucketLayout.CheckIndex(high, scale);
        store.Reserve((int)low, (int)high, Math.Min((int)width + 1, reader.Remaining));
        var total = UInt128.Zero;
        for (var next = low; next <= high; next++)
        {
            var token = reader.Varint();
            if ((token & 1) != 0)
            {
                if (next == low || token == 1 || token >> 1 > (ulong)(high - next)) throw new FormatException($"A gap of {token >> 1} buckets is not possible.");
                next += (long)(token >> 1);
                token = reader.Varint();
            }

            if ((token & 1) != 0 || token == 0) throw new FormatException("A bucket must have a count.");
            store.Add((int)next, token >> 1);
            total += token >> 1;
        }

        return total;
    }

    // Min and max are what the buckets cannot tell; they must lie in the outermost buckets.
    static void CheckRange(int scale, double min, double max, ExponentialHistogram sketch, ulong zeros)
    {
        var fits = double.IsFinite(min) && double.IsFinite(max) && min <= max && IsAt(min, sketch, scale, zeros, lowest: true)
            && IsAt(max, sketch, scale, zeros, lowest: false);
        if (!fits) throw new FormatException($"Min {min:R} and max {max:R} do not agree with the buckets.");
    }

    static bool IsAt(double value, ExponentialHistogram sketch, int scale, ulong zeros, bool lowest)
    {
        var negatives = sketch.Negative.TryGetRange(out var negativeLow, out var negativeHigh);
        var positives = sketch.Positive.TryGetRange(out var positiveLow, out var positiveHigh);
        int Index(double positive) => BucketLayout.IndexOf(positive) >> (BucketLayout.MaxScale - scale);
        if (lowest && negatives) return value < 0 && Index(-value) == negativeHigh;
        if (!lowest && positives) return value > 0 && Index(value) == positiveHigh;
        if (zeros > 0) return value == 0;
        return lowest ? value > 0 && Index(value) == positiveLow : value < 0 && Index(-value) == negativeLow;
    }
}
