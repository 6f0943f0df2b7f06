using System.Text;
using System.Text.Json;

namespace StreamMetrics.LoadGenerator.Simulation;

/// <summary>
/// One series: its values, how often it has an event, and its event as text around the parts that differ:
/// <c>{"eventId":"········","timestamp":·············,"serviceId":"…","instanceId":"…-pod-·","metricType":"…","metricName":"…","value":</c>
/// value <c>,"unit":"…","tags":{…}</c> and metadata or the end.
/// </summary>
sealed class SimulatedSeries
{
    public const int EventIdStart = 12;
    public const int EventIdLength = 36;
    public const int TimestampStart = EventIdStart + EventIdLength + 14;
    public const int TimestampLength = 13;

    /// <summary>Instances of each service: <c>…-pod-0</c> to <c>…-pod-3</c>.</summary>
    public const int Pods = 4;

    public required string ServiceId { get; init; }

    public required string MetricType { get; init; }

    public required string MetricName { get; init; }

    public required string Unit { get; init; }

    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    public required ValueModel Values { get; init; }

    /// <summary>Relative to the other series.</summary>
    public required double Weight { get; init; }

    /// <summary>The record's key.</summary>
    public byte[] Key { get; private set; } = [];

    /// <summary>Everything before the value.</summary>
    public byte[] Head { get; private set; } = [];

    /// <summary>Everything after the value but metadata and the last brace.</summary>
    public byte[] Tail { get; private set; } = [];

    /// <summary>Where the digit of the pod stands in <see cref="Head"/>.</summary>
    public int PodStart { get; private set; }

    /// <summary>Number of (serviceId, metricName) in the ledger.</summary>
    public int LedgerMetric { get; set; }

    /// <summary>Writes the text. Names are made here of characters that JSON needs no escape for; tag values are escaped.</summary>
    public void Serialise()
    {
        Key = Encoding.UTF8.GetBytes(ServiceId);
        var upToPod = $"{{\"eventId\":\"{new string('0', EventIdLength)}\",\"timestamp\":{new string('0', TimestampLength)},"
            + $"\"serviceId\":\"{ServiceId}\",\"instanceId\":\"{ServiceId}-pod-";
        PodStart = upToPod.Length;
        Head = Encoding.UTF8.GetBytes($"{upToPod}0\",\"metricType\":\"{MetricType}\",\"metricName\":\"{MetricName}\",\"value\":");
        var tags = string.Join(',', Tags.Select(t => $"\"{t.Key}\":\"{JsonEncodedText.Encode(t.Value)}\""));
        Tail = Encoding.UTF8.GetBytes($",\"unit\":\"{Unit}\",\"tags\":{{{tags}}}");
    }
}
