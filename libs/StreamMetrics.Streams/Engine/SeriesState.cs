using System.Buffers;
using System.Text;
using StreamMetrics.Contracts;
using StreamMetrics.Sketches;

namespace StreamMetrics.Streams;

/// <summary>The definition of a series in the state topic (docs/formats/state.md).</summary>
/// <param name="Id">Its id.</param>
/// <param name="TotalId">The id of its total; -1 for a total.</param>
/// <param name="ServiceId">The service.</param>
/// <param name="MetricName">The metric.</param>
/// <param name="MetricType">Kind of metric.</param>
/// <param name="Unit">Unit of the values.</param>
/// <param name="Tags">Tags by key in ordinal order.</param>
sealed record SeriesState(int Id, int TotalId, string ServiceId, string MetricName, string MetricType, string Unit, KeyValuePair<string, string>[] Tags)
{
    /// <summary>Appends a definition.</summary>
    /// <param name="series">The series.</param>
    /// <param name="index">Its place in its block.</param>
    /// <param name="output">Receives it.</param>
    public static void Write(Series series, int index, IBufferWriter<byte> output)
    {
        var writer = new ByteWriter(output);
        writer.Byte((byte)index);
        writer.Signed(series.Total?.Id ?? -1);
        Text(ref writer, series.ServiceId);
        Text(ref writer, series.MetricName);
        Text(ref writer, series.MetricType);
        Text(ref writer, series.Unit);
        writer.Varint((ulong)series.Tags.Count);
        foreach (var (key, value) in series.Tags)
        {
            Text(ref writer, key);
            Text(ref writer, value);
        }

        writer.Flush();
    }

    /// <summary>Reads one definition of a block.</summary>
    public static SeriesState Read(int block, ref ByteReader reader)
    {
        var index = reader.Byte();
        if (index >= StateFormat.BlockSize) throw new FormatException($"Place {index} is not in a block of {StateFormat.BlockSize}.");
        var total = reader.Signed();
        if (total is < -1 or > int.MaxValue) throw new FormatException($"Series id {total} is out of range.");
        var serviceId = Text(ref reader);
        var metricName = Text(ref reader);
        var metricType = Text(ref reader);
        var unit = Text(ref reader);
        var tags = new KeyValuePair<string, string>[Math.Min(reader.Varint(), EventLimits.MaxTags + 1)];
        for (var i = 0; i < tags.Length; i++) tags[i] = new(Text(ref reader), Text(ref reader));
        return new((block << StateFormat.BlockBits) + index, (int)total, serviceId, metricName, metricType, unit, tags);
    }

    static void Text(ref ByteWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Varint((ulong)bytes.Length);
        writer.Bytes(bytes);
    }

    static string Text(ref ByteReader reader) => Encoding.UTF8.GetString(reader.Take(reader.Length()));
}
