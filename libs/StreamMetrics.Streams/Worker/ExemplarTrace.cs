using System.Buffers;
using System.Diagnostics;

namespace StreamMetrics.Streams.Worker;

/// <summary>The trace that an aggregate's exemplar comes from, by which an event is followed behind the engine.</summary>
public static class ExemplarTrace
{
    /// <summary>Hexadecimal digits of the two ids.</summary>
    const int TraceIdLength = 32, SpanIdLength = 16;

    static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdef"u8);

    /// <summary>
    /// Reads the ids of <c>{"traceId":"…","spanId":"…"</c>, which is how the engine begins an exemplar. What is no W3C id
    /// (https://www.w3.org/TR/trace-context/) came with an event from elsewhere and leads nowhere.
    /// </summary>
    /// <param name="exemplar">JSON of the exemplar in UTF-8; what follows the ids does not matter.</param>
    /// <param name="context">The producer's span.</param>
    /// <returns>Whether there are two such ids.</returns>
    public static bool TryRead(ReadOnlySpan<byte> exemplar, out ActivityContext context)
    {
        context = default;
        var before = "{\"traceId\":\""u8;
        var between = "\",\"spanId\":\""u8;
        if (exemplar.Length <= before.Length + TraceIdLength + between.Length + SpanIdLength || !exemplar.StartsWith(before)) return false;
        var rest = exemplar[before.Length..];
        if (!rest[TraceIdLength..].StartsWith(between)) return false;
        var trace = rest[..TraceIdLength];
        var span = rest.Slice(TraceIdLength + between.Length, SpanIdLength);
        if (!IsId(trace) || !IsId(span) || rest[TraceIdLength + between.Length + SpanIdLength] != '"') return false;
        context = new(ActivityTraceId.CreateFromUtf8String(trace), ActivitySpanId.CreateFromUtf8String(span), ActivityTraceFlags.Recorded, isRemote: true);
        return true;
    }

    static bool IsId(ReadOnlySpan<byte> hex) => !hex.ContainsAnyExcept(HexDigits) && hex.ContainsAnyExcept((byte)'0');
}
