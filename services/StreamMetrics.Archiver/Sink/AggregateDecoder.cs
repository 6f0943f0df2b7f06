using System.Text.Json;
using StreamMetrics.Contracts;
using StreamMetrics.Sketches;

namespace StreamMetrics.Archiver.Sink;

/// <summary>Reads a record of a <c>metrics-aggregated-*</c> topic and checks what the cold store relies on.</summary>
static class AggregateDecoder
{
    static readonly long Earliest = new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
    static readonly long Latest = new DateTimeOffset(2200, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    /// <summary>The aggregate; or null, and the reason: field, value and rule.</summary>
    public static Aggregate? Decode(string topic, byte[]? value, out string? reason)
    {
        Aggregate? aggregate;
        try
        {
            aggregate = value is null ? null : JsonSerializer.Deserialize(value, ContractsJson.Default.Aggregate);
        }
        catch (JsonException e)
        {
            reason = $"not an aggregate: {e.Message}";
            return null;
        }

        reason = aggregate is null ? "the value is null" : Check(topic, aggregate);
        return reason is null ? aggregate : null;
    }

    static string? Check(string topic, Aggregate a)
    {
        if (a.ServiceId is null || a.MetricName is null || a.MetricType is null || a.Unit is null || a.Tags is null || a.Window is null)
            return "serviceId, metricName, metricType, unit, tags and window must not be null";
        if (a.ServiceId.Contains('\0', StringComparison.Ordinal) || a.MetricName.Contains('\0', StringComparison.Ordinal))
            return "serviceId and metricName must not contain U+0000";
        if (!WindowLengths.TryGetMilliseconds(a.Window, out var length) || Topics.Aggregated(a.Window) != topic) return $"window is '{a.Window}', which {topic} does not carry";
        if (a.Kind is not (AggregateKind.Final or AggregateKind.Correction)) return $"kind is {a.Kind}; only final and correction are stored";
        if (a.Start < Earliest || a.Start > Latest || a.Start % length != 0) return $"start is {a.Start}, which is no start of a {a.Window} window between 2000 and 2200";
        if (a.End != a.Start + length) return $"end is {a.End}; start {a.Start} + {a.Window} is {a.Start + length}";
        if (a.LastTime < Earliest || a.LastTime > Latest) return $"lastTime is {a.LastTime}, which is not between 2000 and 2200";
        if (a.Count <= 0) return $"count is {a.Count}; it must be positive";
        if (a.Tags.Any(t => t.Value is null)) return "a tag is null";
        return CheckSketch(a);
    }

    static string? CheckSketch(Aggregate a)
    {
        if (a.Sketch is null) return "sketch is missing";
        try
        {
            var sketch = ExponentialHistogram.Read(a.Sketch);
            return sketch.Count == a.Count ? null : $"the sketch counts {sketch.Count}, count is {a.Count}";
        }
        catch (FormatException e)
        {
            return $"sketch: {e.Message}";
        }
    }
}
