using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamMetrics.Contracts.Events;

/// <summary>
/// Reads one metric event from its JSON (RFC 8259, UTF-8; the fields are those of docs/formats/events.md) without a document tree and
/// without allocating. A first pass over the bytes, 32 at a time, copies them into a buffer with room behind them and notes where the
/// quotes are; a second pass walks from quote to quote. <see cref="TryRead"/> checks the JSON and what differs from event to event (id,
/// time, value, instance, metadata); what makes the series is checked by <see cref="EventIdentity.TryCreate"/>, once for all events with
/// the same bytes there (<see cref="Matches"/> and <see cref="IdentityHash"/> find them again). Not safe for concurrent use; spans are
/// valid until the next read.
/// </summary>
public sealed partial class EventReader
{
    const int MaxDepth = 64;

    // Positions in _text: (start, length). A length of -1 means absent.
    (int Start, int Length) _eventId, _serviceId, _instanceId, _metricType, _metricName, _unit, _tags, _traceId, _spanId;
    int _length;
    bool _hasTimestamp;
    bool _hasValue;

    /// <summary>Event time, ms since the epoch.</summary>
    public long Timestamp { get; private set; }

    /// <summary>The value; finite.</summary>
    public double Value { get; private set; }

    /// <summary>The id, 36 characters, as it stands in the message.</summary>
    public ReadOnlySpan<byte> EventId => Span(_eventId);

    /// <summary>The serviceId as it stands in the message, quotes left out.</summary>
    public ReadOnlySpan<byte> ServiceId => Span(_serviceId);

    /// <summary>The metricType, likewise.</summary>
    public ReadOnlySpan<byte> MetricType => Span(_metricType);

    /// <summary>The metricName, likewise.</summary>
    public ReadOnlySpan<byte> MetricName => Span(_metricName);

    /// <summary>The unit, likewise; JSON escapes are kept.</summary>
    public ReadOnlySpan<byte> Unit => Span(_unit);

    /// <summary>The tags object as it stands in the message, braces included; empty when absent.</summary>
    public ReadOnlySpan<byte> Tags => Span(_tags);

    /// <summary>metadata.traceId, JSON escapes kept; empty when absent.</summary>
    public ReadOnlySpan<byte> TraceId => Span(_traceId);

    /// <summary>metadata.spanId, likewise.</summary>
    public ReadOnlySpan<byte> SpanId => Span(_spanId);

    /// <summary>Reads an event.</summary>
    /// <param name="json">The message; it is copied.</param>
    /// <param name="error">Why it is refused.</param>
    /// <returns>True when the JSON is well formed, id, timestamp, value, instanceId and metadata keep their rules, and no other required field is missing.</returns>
    public bool TryRead(ReadOnlySpan<byte> json, [NotNullWhen(false)] out EventError? error)
    {
        _eventId = _serviceId = _instanceId = _metricType = _metricName = _unit = _tags = _traceId = _spanId = (0, -1);
        _hasTimestamp = _hasValue = false;
        if (json.Length > EventLimits.MaxMessageBytes)
        {
            error = new(ReasonCodes.TooLarge, "", "", $"The message has {json.Length} bytes; at most {EventLimits.MaxMessageBytes} are allowed.");
            return false;
        }

        if (!Index(json, out error)) return false;
        error = ReadMembers() ?? CheckRequired();
        return error == null;
    }

    EventError? ReadMembers()
    {
        ref var text = ref MemoryMarshal.GetArrayDataReference(_text);
        ref var quotes = ref MemoryMarshal.GetArrayDataReference(_quotes);
        var pos = 0;
        var quote = 0;
        if (At(ref text, 0) != '{')
        {
            pos = SkipSpace(0);
            if (At(ref text, pos) != '{') return Malformed(pos, "a JSON object must start with '{'");
        }

        pos++;
        if (SkipSpaceTo(ref pos, '}')) return End(pos + 1);
        while (true)
        {
            if (Unsafe.Add(ref quotes, quote) != pos && Unsafe.Add(ref quotes, quote) != (pos = SkipSpace(pos))) return Malformed(pos, "expected a key in quotes");
            var close = Unsafe.Add(ref quotes, quote + 1);
            var key = (Start: pos + 1, Length: close - pos - 1);
            if (_special && CheckString(key) is { } badKey) return badKey;
            quote += 2;
            pos = close + 1;
            if (At(ref text, pos) != ':' && !SkipSpaceTo(ref pos, ':')) return Malformed(pos, "expected ':' after a key");
            pos++;
            if (IsSpace(At(ref text, pos))) pos = SkipSpace(pos);
            if (ReadField(Identify(ref text, key), ref pos, ref quote) is { } error) return error;
            if (At(ref text, pos) == ',') pos++;
            else if (At(ref text, pos) == '}' || SkipSpaceTo(ref pos, '}')) return End(pos + 1);
            else if (At(ref text, pos) == ',') pos++;
            else return Malformed(pos, "expected ',' or '}'");
        }
    }

    EventError? ReadField(Field field, ref int pos, ref int quote)
    {
        switch (field)
        {
            case Field.EventId: return ReadEventId(ref pos, ref quote);
            case Field.Timestamp: return ReadTimestamp(ref pos, ref quote);
            case Field.ServiceId: return ReadString("serviceId", ref _serviceId, ref pos, ref quote);
            case Field.InstanceId: return ReadInstanceId(ref pos, ref quote);
            case Field.MetricType: return ReadString("metricType", ref _metricType, ref pos, ref quote);
            case Field.MetricName: return ReadString("metricName", ref _metricName, ref pos, ref quote);
            case Field.Value: return ReadValue(ref pos, ref quote);
            case Field.Unit: return ReadString("unit", ref _unit, ref pos, ref quote);
            case Field.Tags: return ReadTags(ref pos, ref quote);
            case Field.Metadata: return ReadMetadata(ref pos, ref quote);
            default: return Skip(ref pos, ref quote, 0);
        }
    }

    EventError? CheckRequired()
    {
        if (_eventId.Length < 0) return Missing("eventId", EventRules.EventId);
        if (!_hasTimestamp) return Missing("timestamp", EventRules.Timestamp);
        if (_serviceId.Length < 0) return Missing("serviceId", EventRules.ServiceId);
        if (_metricType.Length < 0) return Missing("metricType", EventRules.MetricType);
        if (_metricName.Length < 0) return Missing("metricName", EventRules.MetricName);
        if (!_hasValue) return Missing("value", EventRules.Value);
        return _unit.Length < 0 ? Missing("unit", EventRules.Unit) : null;
    }

    EventError? End(int pos)
    {
        pos = SkipSpace(pos);
        return pos == _length ? null : Malformed(pos, "expected nothing after the object");
    }

    static EventError Missing(string field, string rule) => new(ReasonCodes.MissingField, field, "", $"missing; {rule}");

    EventError Malformed(int pos, string what) =>
        new(ReasonCodes.MalformedJson, "", "", $"Malformed JSON at byte {Math.Min(pos, _length)}: {what}.");

    ReadOnlySpan<byte> Span((int Start, int Length) range) => range.Length <= 0 ? default : _text.AsSpan(range.Start, range.Length);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static byte At(ref byte text, int pos) => Unsafe.Add(ref text, pos);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static bool IsSpace(byte c) => c is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t';

    int SkipSpace(int pos)
    {
        // What follows the message is no space, so this ends.
        while (IsSpace(_text[pos])) pos++;
        return pos;
    }

    bool SkipSpaceTo(ref int pos, char expected)
    {
        pos = SkipSpace(pos);
        return _text[pos] == expected;
    }
}
