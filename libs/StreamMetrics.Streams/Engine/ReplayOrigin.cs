using System.Globalization;
using System.Text;

namespace StreamMetrics.Streams;

/// <summary>Identifies the dead letter or late record that a replayed record repeats.</summary>
/// <param name="Topic">Topic it lay in.</param>
/// <param name="Partition">Partition it lay in, ≥ 0.</param>
/// <param name="Offset">Its offset, ≥ 0.</param>
public readonly record struct ReplayOrigin(string Topic, int Partition, long Offset)
{
    /// <summary>Longest topic name Kafka allows, characters.</summary>
    const int MaxTopicLength = 249;

    /// <summary>Reads the value of the header <c>sm-replay</c>: <c>topic/partition/offset</c>.</summary>
    /// <param name="header">UTF-8 text.</param>
    /// <param name="origin">The origin, when the text has that form.</param>
    /// <returns>False when it has not; such a record is processed as an ordinary one.</returns>
    public static bool TryParse(ReadOnlySpan<byte> header, out ReplayOrigin origin)
    {
        origin = default;
        var second = header.LastIndexOf((byte)'/');
        if (second <= 0) return false;
        var first = header[..second].LastIndexOf((byte)'/');
        if (first is <= 0 or > MaxTopicLength) return false;
        if (!int.TryParse(header[(first + 1)..second], NumberStyles.None, CultureInfo.InvariantCulture, out var partition)) return false;
        if (!long.TryParse(header[(second + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var offset)) return false;
        origin = new(Encoding.UTF8.GetString(header[..first]), partition, offset);
        return true;
    }

    /// <summary>The header's text, <c>topic/partition/offset</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Topic}/{Partition}/{Offset}");
}
