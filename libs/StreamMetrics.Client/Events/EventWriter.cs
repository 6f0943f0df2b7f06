using System.Diagnostics;
using System.Globalization;

namespace StreamMetrics.Client.Events;

/// <summary>Writes an event as JSON (docs/formats/events.md): the serialised parts of its series with id, time, value and trace between them.</summary>
static class EventWriter
{
    const int GuidLength = 36;
    const int TraceIdBytes = 16;
    const int SpanIdBytes = 8;

    /// <summary>More than everything but the parts of the series needs: id 36, time and value at most 24 each, trace 48, names and braces.</summary>
    public const int FixedLength = 256;

    /// <summary>Writes one event.</summary>
    /// <param name="target">At least <see cref="Series.MaxEventLength"/> bytes.</param>
    /// <param name="series">The series.</param>
    /// <param name="timestamp">Event time, ms since the epoch.</param>
    /// <param name="value">The value; finite.</param>
    /// <param name="activity">The trace it belongs to, if that is sampled: one that nobody kept could not be looked up.</param>
    /// <returns>The length of the event.</returns>
    public static int Write(Span<byte> target, Series series, long timestamp, double value, Activity? activity)
    {
        var rest = target;
        Append(ref rest, "{\"eventId\":\""u8);
        Guid.NewGuid().TryFormat(rest, out _);
        rest = rest[GuidLength..];
        Append(ref rest, "\",\"timestamp\":"u8);
        timestamp.TryFormat(rest, out var length, default, CultureInfo.InvariantCulture);
        rest = rest[length..];
        Append(ref rest, series.BeforeValue);
        value.TryFormat(rest, out length, default, CultureInfo.InvariantCulture);
        rest = rest[length..];
        Append(ref rest, series.AfterValue);
        if (activity is { Recorded: true, IdFormat: ActivityIdFormat.W3C }) AppendTrace(ref rest, activity);
        Append(ref rest, "}"u8);
        return target.Length - rest.Length;
    }

    static void AppendTrace(ref Span<byte> rest, Activity activity)
    {
        Span<byte> id = stackalloc byte[TraceIdBytes];
        Append(ref rest, ",\"metadata\":{\"traceId\":\""u8);
        activity.TraceId.CopyTo(id);
        Convert.TryToHexStringLower(id, rest, out var length);
        rest = rest[length..];
        Append(ref rest, "\",\"spanId\":\""u8);
        // It fills whatever it is given, so it must be given its exact length.
        id = id[..SpanIdBytes];
        activity.SpanId.CopyTo(id);
        Convert.TryToHexStringLower(id, rest, out length);
        rest = rest[length..];
        Append(ref rest, "\"}"u8);
    }

    static void Append(ref Span<byte> rest, ReadOnlySpan<byte> text)
    {
        text.CopyTo(rest);
        rest = rest[text.Length..];
    }
}
