using System.Buffers;

namespace StreamMetrics.Sketches;

/// <summary>
/// The protobuf layout of OTLP's <c>ExponentialHistogramDataPoint</c>
/// (https://github.com/open-telemetry/opentelemetry-proto, metrics/v1/metrics.proto), both ways. Buckets, count, zero count, sum, min and
/// max go through without loss; a point of a finer scale than 6 is read at scale 6.
/// </summary>
public static class OtlpEncoding
{
    // Field numbers and wire types of the message.
    const int StartTime = 2, Time = 3, CountField = 4, SumField = 5, ScaleField = 6, ZeroCount = 7, Positive = 8, Negative = 9, MinField = 12, MaxField = 13;
    const int OffsetField = 1, CountsField = 2;
    const int VarintType = 0, Fixed64Type = 1, LengthType = 2, Fixed32Type = 5;

    /// <summary>Appends a data point without attributes.</summary>
    /// <param name="sketch">The sketch.</param>
    /// <param name="sum">Sum of its values.</param>
    /// <param name="startTime">Start of the window, ns since the epoch.</param>
    /// <param name="time">End of the window, ns since the epoch.</param>
    /// <param name="output">Receives the message.</param>
    public static void Write(ExponentialHistogram sketch, double sum, ulong startTime, ulong time, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(sketch);
        ArgumentNullException.ThrowIfNull(output);
        var writer = new ByteWriter(output);
        WriteFixed(ref writer, StartTime, startTime);
        WriteFixed(ref writer, Time, time);
        WriteFixed(ref writer, CountField, (ulong)sketch.Count);
        WriteFixed(ref writer, SumField, BitConverter.DoubleToUInt64Bits(sum));
        writer.Varint(Tag(ScaleField, VarintType));
        writer.Signed(sketch.Scale);
        WriteFixed(ref writer, ZeroCount, (ulong)sketch.ZeroCount);
        WriteBuckets(ref writer, Positive, ref sketch.Positive);
        WriteBuckets(ref writer, Negative, ref sketch.Negative);
        if (sketch.Count > 0)
        {
            WriteFixed(ref writer, MinField, BitConverter.DoubleToUInt64Bits(sketch.Min));
            WriteFixed(ref writer, MaxField, BitConverter.DoubleToUInt64Bits(sketch.Max));
        }

        writer.Flush();
    }

    /// <summary>Reads a data point; attributes, exemplars, times and flags are passed over.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="sum">Sum of the values; null when the point has none.</param>
    /// <returns>The sketch; where the point has no min or max, the bounds of its outermost buckets stand for them.</returns>
    /// <exception cref="FormatException">Not such a message, or its counts contradict each other.</exception>
    public static ExponentialHistogram Read(ReadOnlySpan<byte> message, out double? sum)
    {
        var reader = new ByteReader(message);
        var builder = new HistogramBuilder();
        var count = 0ul;
        sum = null;
        while (!reader.AtEnd)
        {
            var tag = reader.Varint();
            switch (tag)
            {
                case CountField << 3 | Fixed64Type: count = reader.Fixed64(); break;
                case SumField << 3 | Fixed64Type: sum = reader.Double(); break;
                case ScaleField << 3 | VarintType: builder.Scale = Bounded(reader.Signed(), "scale"); break;
                case ZeroCount << 3 | Fixed64Type: builder.ZeroCount = reader.Fixed64(); break;
                case Positive << 3 | LengthType: ReadBuckets(reader.Take(reader.Length()), builder.Positive); break;
                case Negative << 3 | LengthType: ReadBuckets(reader.Take(reader.Length()), builder.Negative); break;
                case MinField << 3 | Fixed64Type: builder.Min = Number(reader.Double()); break;
                case MaxField << 3 | Fixed64Type: builder.Max = Number(reader.Double()); break;
                default: Skip(ref reader, (int)(tag & 7)); break;
            }
        }

        var sketch = builder.Build();
        if ((ulong)sketch.Count != count) throw new FormatException($"The point's count is {count}, its buckets hold {sketch.Count}.");
        return sketch;
    }

    static void WriteBuckets(ref ByteWriter writer, int field, ref BucketStore store)
    {
        if (!store.TryGetRange(out var low, out var high)) return;
        var countsLength = 0;
        var expected = low;
        foreach (var (index, count) in store)
        {
            countsLength += index - expected + ByteWriter.VarintLength(count);
            expected = index + 1;
        }

        var offset = ByteWriter.ZigZag(low);
        var length = 1 + ByteWriter.VarintLength(offset) + 1 + ByteWriter.VarintLength((ulong)countsLength) + countsLength;
        writer.Varint(Tag(field, LengthType));
        writer.Varint((ulong)length);
        writer.Varint(Tag(OffsetField, VarintType));
        writer.Varint(offset);
        writer.Varint(Tag(CountsField, LengthType));
        writer.Varint((ulong)countsLength);
        expected = low;
        foreach (var (index, count) in store)
        {
            for (; expected < index; expected++) writer.Byte(0);
            writer.Varint(count);
            expected++;
        }

        System.Diagnostics.Debug.Assert(expected == high + 1, "Every bucket of the range is written.");
    }

    static void ReadBuckets(ReadOnlySpan<byte> message, List<(int Index, ulong Count)> buckets)
    {
        var reader = new ByteReader(message);
        var offset = 0;
        var first = buckets.Count;
        while (!reader.AtEnd)
        {
            var tag = reader.Varint();
            switch (tag)
            {
                case OffsetField << 3 | VarintType: offset = Bounded(reader.Signed(), "bucket offset"); break;
                case CountsField << 3 | VarintType: buckets.Add((buckets.Count - first, reader.Varint())); break;
                case CountsField << 3 | LengthType:
                    var counts = new ByteReader(reader.Take(reader.Length()));
                    while (!counts.AtEnd) buckets.Add((buckets.Count - first, counts.Varint()));
                    break;
                default: Skip(ref reader, (int)(tag & 7)); break;
            }
        }

        for (var i = first; i < buckets.Count; i++) buckets[i] = (checked(buckets[i].Index + offset), buckets[i].Count);
    }

    static void Skip(ref ByteReader reader, int wireType)
    {
        switch (wireType)
        {
            case VarintType: reader.Varint(); break;
            case Fixed64Type: reader.Fixed64(); break;
            case LengthType: reader.Take(reader.Length()); break;
            case Fixed32Type: reader.Take(sizeof(uint)); break;
            default: throw new FormatException($"Protobuf wire type {wireType} is not known.");
        }
    }

    static int Bounded(long value, string name) =>
        value is > -(1 << 30) and < 1 << 30 ? (int)value : throw new FormatException($"The {name} {value} is out of range.");

    static double? Number(double value) => double.IsNaN(value) ? null : value;

    static void WriteFixed(ref ByteWriter writer, int field, ulong value)
    {
        writer.Varint(Tag(field, Fixed64Type));
        writer.Fixed64(value);
    }

    static ulong Tag(int field, int wireType) => (ulong)(field << 3 | wireType);
}
