using System.Globalization;
using System.Text;
using System.Text.Json;

namespace StreamMetrics.Streams.Tests.Engine;

/// <summary>An event as a producer would make it.</summary>
sealed record TestEvent(long Time, double Value)
{
    public string ServiceId { get; init; } = "payment-service";

    public string MetricType { get; init; } = "HTTP_REQUEST";

    public string MetricName { get; init; } = "api.request.duration";

    public string Unit { get; init; } = "milliseconds";

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    public string? TraceId { get; init; }

    public string? SpanId { get; init; }

    /// <summary>Its JSON in one of several styles that mean the same.</summary>
    public byte[] ToJson(int style = 0)
    {
        var fields = new List<string>
        {
            $"\"eventId\":\"{EventId()}\"",
            $"\"timestamp\":{Time.ToString(CultureInfo.InvariantCulture)}",
            $"\"serviceId\":{Quote(ServiceId)}",
            "\"instanceId\":\"pod-1\"",
            $"\"metricType\":{Quote(MetricType)}",
            $"\"metricName\":{Quote(MetricName)}",
            $"\"value\":{Value.ToString("R", CultureInfo.InvariantCulture)}",
            $"\"unit\":{Quote(Unit)}",
            $"\"tags\":{{{string.Join(',', Tags.Select(t => $"{Quote(t.Key)}:{Quote(t.Value)}"))}}}",
        };
        var metadata = new List<string>();
        if (TraceId != null) metadata.Add($"\"traceId\":{Quote(TraceId)}");
        if (SpanId != null) metadata.Add($"\"spanId\":{Quote(SpanId)}");
        if (metadata.Count > 0) fields.Add($"\"metadata\":{{{string.Join(',', metadata)}}}");
        if (style % 3 == 1) fields.Reverse();
        if (style % 5 == 2) fields.Insert(2, "\"extra\":{\"a\":[1,2.5e3,null,{\"b\":\"}\\\"\"}],\"c\":true}");
        if (style % 7 == 3) fields[2] = fields[2].Replace("payment", "pay\\u006dent", StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(style % 4 == 3 ? "{ " + string.Join(" ,\n\t", fields) + " }\r\n" : "{" + string.Join(',', fields) + "}");
    }

    string EventId() => new Guid((int)Time, (short)BitConverter.DoubleToInt64Bits(Value), 0x4000, [128, 1, 2, 3, 4, 5, 6, 7]).ToString();

    static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";
}
