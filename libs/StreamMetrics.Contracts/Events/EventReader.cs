using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamMetrics.Contracts.Events;

/// <summary>
/// Reads one metric event from its JSON (RFC 8259, UTF-8; the fields are those of docs/formats/events.md) without a document tree and
/// without allocating. A first pass over the bytes, 64 at a time, copies them into a buffer with room behind them and notes where the
/// quotes are; a second pass walks from quote to quote. <see cref="TryRead"/> checks the JSON and what differs from event to event (id,
/// time, value, instance, metadata); what makes the series is checked by <see cref="EventIdentity.TryCreate"/>, once for all events with
/// the same bytes there (<see cref="Matches"/> and <see cref="IdentityHash"/> find them again). Not safe for concurrent use; spans are
/// valid until the next read.
/// </summary>
public sealed partial class EventReader
{
    const int MaxDepth = 64;

    // Where the strings and tags are in _text, by field: start << 32 | length; 0 means absent, since no string starts at 0.
    readonly long[] _ranges = new long[(int)Field.SpanId + 1];
    int _length;
    bool _hasTimestamp;
    bool _hasValue;
    EventError? _error;

    /// <summary>Event time, ms since the epoch.</summary>
    public long Timestamp { get; private set; }

    /// <summary>The value; finite.</summary>
    public double Value { get; private set; }

    /// <summary>The id, 36 characters, as it stands in the message.</summary>
    public ReadOnlySpan<byte> EventId => Span(Field.EventId);

    /// <summary>The serviceId as it stands in the message, quotes left out.</summary>
    public ReadOnlySpan<byte> ServiceId => Span(Field.ServiceId);

    /// <summary>The metricType, likewise.</summary>
    public ReadOnlySpan<byte> MetricType => Span(Field.MetricType);

    /// <summary>The metricName, likewise.</summary>
    public ReadOnlySpan<byte> MetricName => Span(Field.MetricName);

    /// <summary>The unit, likewise; JSON escapes are kept.</summary>
    public ReadOnlySpan<byte> Unit => Span(Field.Unit);

    /// <summary>The tags object as it stands in the message, braces included; empty when absent.</summary>
    public ReadOnlySpan<byte> Tags => Span(Field.Tags);

    /// <summary>metadata.traceId, JSON escapes kept; empty when absent.</summary>
    public ReadOnlySpan<byte> TraceId => Span(Field.TraceId);

    /// <summary>metadata.spanId, likewise.</summary>
    public ReadOnlySpan<byte> SpanId => Span(Field.SpanId);

    /// <summary>Reads an event.</summary>
    /// <param name="json">The message; it is copied.</param>
    /// <param name="error">Why it is refused.</param>
    /// <returns>True when the JSON is well formed, id, timestamp, value, instanceId and metadata keep their rules, and no other required field is missing.</returns>
    public bool TryRead(ReadOnlySpan<byte> json, [NotNullWhen(false)] out EventError? error)
    {
        _ranges.AsSpan().Clear();
        _hasTimestamp = _hasValue = false;
        if (json.Length > EventLimits.MaxMessageBytes)
        {
            error = new(ReasonCodes.TooLarge, "", "", $"The message has {json.Length} bytes; at most {EventLimits.MaxMessageBytes} are allowed.");
            return false;
        }

        if (!Index(json, out error)) return false;
        if (!ReadMembers() || !CheckFields())
        {
            error = _error!;
            return false;
        }

        return true;
    }

    bool ReadMembers()
    {
        ref var text = ref MemoryMarshal.GetArrayDataReference(_text);
        ref var quotes = ref MemoryMarshal.GetArrayDataReference(_quotes);
        ref var ranges = ref MemoryMarshal.GetArrayDataReference(_ranges);
        var pos = 0;
        var quote = 0;
        if (At(ref text, 0) != '{' && At(ref text, pos = SkipSpace(0)) != '{') return Malformed(pos, "a JSON object must start with '{'");
        pos++;
        if (At(ref text, pos) != '"' && At(ref text, pos = SkipSpace(pos)) == '}') return End(pos + 1);
        while (true)
        {
            var open = Unsafe.Add(ref quotes, quote);
            if (open != pos && open != (pos = SkipSpace(pos))) return Malformed(pos, "expected a key in quotes");
            var close = Unsafe.Add(ref quotes, quote + 1);
            quote += 2;
            pos = close + 1;
            if (At(ref text, pos) != ':' && At(ref text, pos = SkipSpace(pos)) != ':') return Malformed(pos, "expected ':' after a key");
            pos++;
            if (At(ref text, pos) <= ' ') pos = SkipSpace(pos);
            var field = Identify(ref text, open + 1, close - open - 1);
            if (field <= LastString && Unsafe.Add(ref quotes, quote) == pos && Unsafe.Add(ref ranges, (int)field) == 0 && !_special)
            {
                // The common case of half of the fields.
                var end = Unsafe.Add(ref quotes, quote + 1);
                Unsafe.Add(ref ranges, (int)field) = Range(pos + 1, end - pos - 1);
                quote += 2;
                pos = end + 1;
            }
            else
            {
                // Copies: these are passed by reference, which would keep the originals out of registers.
                var (nextPos, nextQuote) = (pos, quote);
                if (!ReadField(field, Range(open + 1, close - open - 1), ref nextPos, ref nextQuote)) return false;
                (pos, quote) = (nextPos, nextQuote);
            }

            if (At(ref text, pos) == ',') pos++;
            else if (At(ref text, pos) == '}' || At(ref text, pos = SkipSpace(pos)) == '}') return End(pos + 1);
            else if (At(ref text, pos) == ',') pos++;
            else return Malformed(pos, "expected ',' or '}'");
        }
    }

    bool ReadField(Field field, long key, ref int pos, ref int quote)
    {
        if (_special && !CheckString(key)) return false;
        return field switch
        {
            Field.Timestamp => ReadTimestamp(ref pos, quote),
            Field.Value => ReadValue(ref pos, ref quote),
            Field.Tags => ReadTags(ref pos, ref quote),
            Field.Metadata => ReadMetadata(ref pos, ref quote),
            <= LastString => ReadString(field, ref pos, ref quote),
            _ => Skip(ref pos, ref quote, 0),
        };
    }

    // Required fields, and the rules of those that are strings.
    bool CheckFields()
    {
        var id = _ranges[(int)Field.EventId];
        var isComplete = id != 0 && _ranges[(int)Field.ServiceId] != 0 && _ranges[(int)Field.MetricType] != 0 && _ranges[(int)Field.MetricName] != 0
            && _ranges[(int)Field.Unit] != 0 && _hasTimestamp && _hasValue;
        if (!isComplete) return Missing();
        if ((int)id != Uuid.Length || !Uuid.IsValid(ref _text[(int)(id >> 32)])) return InvalidText("eventId", id, EventRules.EventId);
        var instance = _ranges[(int)Field.InstanceId];
        return (int)instance <= EventLimits.MaxInstanceIdLength || JsonText.LengthOf(Span(Field.InstanceId)) <= EventLimits.MaxInstanceIdLength
            || InvalidText("instanceId", instance, EventRules.InstanceId);
    }

    bool Missing()
    {
        var (field, rule) = _ranges switch
        {
            _ when _ranges[(int)Field.EventId] == 0 => ("eventId", EventRules.EventId),
            _ when !_hasTimestamp => ("timestamp", EventRules.Timestamp),
            _ when _ranges[(int)Field.ServiceId] == 0 => ("serviceId", EventRules.ServiceId),
            _ when _ranges[(int)Field.MetricType] == 0 => ("metricType", EventRules.MetricType),
            _ when _ranges[(int)Field.MetricName] == 0 => ("metricName", EventRules.MetricName),
            _ when !_hasValue => ("value", EventRules.Value),
            _ => ("unit", EventRules.Unit),
        };
        return Fail(new(ReasonCodes.MissingField, field, "", $"missing; {rule}"));
    }

    bool End(int pos)
    {
        if (pos != _length) pos = SkipSpace(pos);
        return pos == _length || Malformed(pos, "expected nothing after the object");
    }

    bool Malformed(int pos, string what) => Fail(new(ReasonCodes.MalformedJson, "", "", $"Malformed JSON at byte {Math.Min(pos, _length)}: {what}."));

    bool Fail(EventError error)
    {
        _error = error;
        return false;
    }

    ReadOnlySpan<byte> Span(Field field) => Span(_ranges[(int)field]);

    ReadOnlySpan<byte> Span(long range) => _text.AsSpan((int)(range >> 32), (int)range);

    static long Range(int start, int length) => (long)start << 32 | (uint)length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static byte At(ref byte text, int pos) => Unsafe.Add(ref text, pos);

    int SkipSpace(int pos)
    {
        // What follows the message is no space, so this ends.
        while (_text[pos] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') pos++;
        return pos;
    }
}
