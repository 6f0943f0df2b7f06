using System.Text.Json;
using StreamMetrics.Contracts;
using StreamMetrics.Contracts.Events;
using Xunit;

namespace StreamMetrics.TestSupport;

/// <summary>
/// The rules of an event (docs/formats/events.md), written down once more, independently of the code under test; and what the pipeline's own
/// reader says must agree.
/// </summary>
public static class EventContract
{
    static readonly string[] Fields =
        ["eventId", "timestamp", "serviceId", "instanceId", "metricType", "metricName", "value", "unit", "tags", "metadata"];

    /// <summary>Asserts that bytes are a valid event, whatever its time.</summary>
    /// <param name="json">The event.</param>
    public static JsonElement AssertValid(ReadOnlyMemory<byte> json)
    {
        Assert.InRange(json.Length, 1, EventLimits.MaxMessageBytes);
        AssertReadable(json.Span);
        var e = JsonDocument.Parse(json).RootElement;
        Assert.All(e.EnumerateObject(), member => Assert.Contains(member.Name, Fields));
        Assert.Equal(e.EnumerateObject().Count(), e.EnumerateObject().Select(m => m.Name).Distinct().Count());
        Assert.True(e.GetProperty("eventId").TryGetGuid(out _));
        Assert.True(e.GetProperty("timestamp").TryGetInt64(out _));
        Assert.Matches(@"\A[A-Za-z0-9._-]{1,100}\z", Text(e, "serviceId"));
        if (e.TryGetProperty("instanceId", out var instance)) Assert.InRange(instance.GetString()!.Length, 0, 200);
        Assert.Matches(@"\A[A-Z][A-Z0-9_]{0,63}\z", Text(e, "metricType"));
        Assert.Matches(@"\A[A-Za-z0-9._/-]{1,200}\z", Text(e, "metricName"));
        Assert.True(double.IsFinite(e.GetProperty("value").GetDouble()));
        Assert.InRange(Text(e, "unit").Length, 1, 32);
        if (e.TryGetProperty("tags", out var tags)) AssertTexts(tags, 32, 64, 256);
        if (e.TryGetProperty("metadata", out var metadata)) AssertTexts(metadata, 16, int.MaxValue, int.MaxValue);
        return e;
    }

    static void AssertReadable(ReadOnlySpan<byte> json)
    {
        var reader = new EventReader();
        if (!reader.TryRead(json, out var error) || !EventIdentity.TryCreate(reader, out _, out error)) Assert.Fail(error.Message);
    }

    static void AssertTexts(JsonElement members, int count, int keyLength, int valueLength)
    {
        var all = members.EnumerateObject().ToList();
        Assert.InRange(all.Count, 0, count);
        Assert.Equal(all.Count, all.Select(m => m.Name).Distinct().Count());
        Assert.All(all, m =>
        {
            Assert.InRange(m.Name.Length, 1, keyLength);
            Assert.InRange(m.Value.GetString()!.Length, 0, valueLength);
        });
    }

    static string Text(JsonElement e, string field) => e.GetProperty(field).GetString()!;
}
