using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace StreamMetrics.Contracts.Events;

// Second pass: the fields of an event.
public sealed partial class EventReader
{
    enum Field
    {
        Unknown,
        EventId,
        Timestamp,
        ServiceId,
        InstanceId,
        MetricType,
        MetricName,
        Value,
        Unit,
        Tags,
        Metadata,
    }

    // Keys are compared as one integer of 8 bytes and one of the rest.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    Field Identify(ref byte text, (int Start, int Length) key)
    {
        ref var start = ref Unsafe.Add(ref text, key.Start);
        var first = Unsafe.ReadUnaligned<ulong>(ref start);
        switch (key.Length)
        {
            case 4:
                if ((uint)first == Four("unit"u8)) return Field.Unit;
                if ((uint)first == Four("tags"u8)) return Field.Tags;
                break;
            case 5 when (uint)first == Four("valu"u8) && Unsafe.Add(ref start, 4) == 'e': return Field.Value;
            case 7 when (first & 0xFFFFFFFFFFFFFF) == (Eight("eventId\0"u8) & 0xFFFFFFFFFFFFFF): return Field.EventId;
            case 8 when first == Eight("metadata"u8): return Field.Metadata;
            case 9:
                if (first == Eight("timestam"u8) && Unsafe.Add(ref start, 8) == 'p') return Field.Timestamp;
                if (first == Eight("serviceI"u8) && Unsafe.Add(ref start, 8) == 'd') return Field.ServiceId;
                break;
            case 10:
                var rest = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref start, 8));
                if (first == Eight("metricNa"u8) && rest == Two("me"u8)) return Field.MetricName;
                if (first == Eight("metricTy"u8) && rest == Two("pe"u8)) return Field.MetricType;
                if (first == Eight("instance"u8) && rest == Two("Id"u8)) return Field.InstanceId;
                break;
        }

        return _special ? IdentifyEscaped(key) : Field.Unknown;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Eight(ReadOnlySpan<byte> text) => MemoryMarshal.Read<ulong>(text);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static uint Four(ReadOnlySpan<byte> text) => MemoryMarshal.Read<uint>(text);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ushort Two(ReadOnlySpan<byte> text) => MemoryMarshal.Read<ushort>(text);

    Field IdentifyEscaped((int Start, int Length) key)
    {
        var raw = _text.AsSpan(key.Start, key.Length);
        if (!raw.Contains((byte)'\\')) return Field.Unknown;
        var name = JsonText.Unescape(raw);
        foreach (var field in Enum.GetValues<Field>())
        {
            if (field != Field.Unknown && string.Equals(NameOf(field), name, StringComparison.Ordinal)) return field;
        }

        return Field.Unknown;
    }

    static string NameOf(Field field) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(field.ToString());

    // A string into a range; null leaves it absent.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    EventError? ReadString(string field, ref (int Start, int Length) range, ref int pos, ref int quote)
    {
        if (_quotes[quote] != pos || range.Length >= 0) return NoString(field, range.Length >= 0, ref pos, ref quote);
        var close = _quotes[quote + 1];
        range = (pos + 1, close - pos - 1);
        quote += 2;
        pos = close + 1;
        return _special ? CheckString(range) : null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    EventError? NoString(string field, bool repeated, ref int pos, ref int quote)
    {
        if (repeated) return Repeated(field);
        return TryNull(ref pos) ? null : Invalid(field, pos, quote, "must be a string");
    }

    EventError? ReadEventId(ref int pos, ref int quote)
    {
        var start = pos;
        if (ReadString("eventId", ref _eventId, ref pos, ref quote) is { } error) return error;
        if (_eventId.Length < 0) return null;
        return _eventId.Length == Uuid.Length && Uuid.IsValid(ref _text[_eventId.Start]) ? null : Invalid("eventId", start, quote - 2, EventRules.EventId);
    }

    EventError? ReadInstanceId(ref int pos, ref int quote)
    {
        var start = pos;
        if (ReadString("instanceId", ref _instanceId, ref pos, ref quote) is { } error) return error;
        return _instanceId.Length <= EventLimits.MaxInstanceIdLength || JsonText.LengthOf(Span(_instanceId)) <= EventLimits.MaxInstanceIdLength
            ? null
            : Invalid("instanceId", start, quote - 2, EventRules.InstanceId);
    }

    EventError? ReadTags(ref int pos, ref int quote)
    {
        if (_tags.Length >= 0) return Repeated("tags");
        if (TryNull(ref pos)) return null;
        if (_text[pos] != '{') return Invalid("tags", pos, quote, EventRules.Tags);
        var start = pos;
        var error = ReadStrings("tags", ref pos, ref quote, keepTrace: false);
        _tags = (start, pos - start);
        return error;
    }

    EventError? ReadMetadata(ref int pos, ref int quote)
    {
        if (TryNull(ref pos)) return null;
        if (_text[pos] != '{') return Invalid("metadata", pos, quote, EventRules.Metadata);
        return ReadStrings("metadata", ref pos, ref quote, keepTrace: true);
    }

    // An object whose values are all strings; counts and lengths of tags are checked with the series.
    EventError? ReadStrings(string field, ref int position, ref int nextQuote, bool keepTrace)
    {
        ref var text = ref MemoryMarshal.GetArrayDataReference(_text);
        ref var quotes = ref MemoryMarshal.GetArrayDataReference(_quotes);
        var pos = position + 1;
        var quote = nextQuote;
        EventError? error = null;
        if (At(ref text, pos) != '"' && SkipSpaceTo(ref pos, '}'))
        {
            position = pos + 1;
            return null;
        }

        while (true)
        {
            var open = Unsafe.Add(ref quotes, quote);
            if (open != pos && open != (pos = SkipSpace(pos))) return Malformed(pos, "expected a key in quotes");
            var close = Unsafe.Add(ref quotes, quote + 1);
            pos = close + 1;
            if (At(ref text, pos) != ':' && !SkipSpaceTo(ref pos, ':')) return Malformed(pos, "expected ':' after a key");
            pos++;
            if (IsSpace(At(ref text, pos))) pos = SkipSpace(pos);
            var valueOpen = Unsafe.Add(ref quotes, quote + 2);
            if (valueOpen != pos) return NotText(field, (open + 1, close - open - 1), pos, quote + 2);
            var valueClose = Unsafe.Add(ref quotes, quote + 3);
            pos = valueClose + 1;
            if (_special && (error = CheckString((open + 1, close - open - 1)) ?? CheckString((valueOpen + 1, valueClose - valueOpen - 1))) != null) return error;
            if (keepTrace) KeepTrace(ref Unsafe.Add(ref text, open + 1), close - open - 1, (valueOpen + 1, valueClose - valueOpen - 1));
            quote += 4;
            if (At(ref text, pos) != ',' && At(ref text, pos) != '}') pos = SkipSpace(pos);
            if (At(ref text, pos) == '}') break;
            if (At(ref text, pos++) != ',') return Malformed(pos - 1, "expected ',' or '}'");
        }

        var entries = (quote - nextQuote) / 4;
        position = pos + 1;
        nextQuote = quote;
        return keepTrace && entries > EventLimits.MaxMetadata ? new(ReasonCodes.InvalidField, field, $"{entries} entries", EventRules.Metadata) : null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void KeepTrace(ref byte key, int length, (int Start, int Length) value)
    {
        var first = Unsafe.ReadUnaligned<ulong>(ref key);
        if (length == 7 && (first & 0xFFFFFFFFFFFFFF) == (Eight("traceId\0"u8) & 0xFFFFFFFFFFFFFF)) _traceId = value;
        else if (length == 6 && (first & 0xFFFFFFFFFFFF) == (Eight("spanId\0\0"u8) & 0xFFFFFFFFFFFF)) _spanId = value;
    }

    EventError NotText(string field, (int Start, int Length) key, int pos, int quote) =>
        Invalid($"{field}.{JsonText.Cut(Encoding.UTF8.GetString(Span(key)))}", pos, quote, "must be a string");

    static EventError Repeated(string field) => new(ReasonCodes.InvalidField, field, "", "must not appear twice");

    // The value as it stands in the message goes into the error; if it is no JSON at all, that is the error.
    EventError Invalid(string field, int pos, int quote, string rule)
    {
        var end = pos;
        if (Skip(ref end, ref quote, 0) is { } malformed) return malformed;
        return new(ReasonCodes.InvalidField, field, JsonText.Cut(Encoding.UTF8.GetString(_text.AsSpan(pos, end - pos))), rule);
    }

    EventError? CheckString((int Start, int Length) range)
    {
        // A string without end reaches behind the message.
        var length = Math.Min(range.Length, _length - range.Start);
        return length < 0 ? null : JsonText.Check(_text.AsSpan(range.Start, length)) is { } what ? Malformed(range.Start, what) : null;
    }

    bool TryNull(ref int pos)
    {
        if (Unsafe.ReadUnaligned<uint>(ref _text[pos]) != Four("null"u8)) return false;
        pos += 4;
        return true;
    }
}
