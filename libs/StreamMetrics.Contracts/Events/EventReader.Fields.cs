using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace StreamMetrics.Contracts.Events;

// Second pass: the fields of an event.
public sealed partial class EventReader
{
    // Strings come first (LastString); Tags, TraceId and SpanId have a range as well.
    enum Field
    {
        EventId,
        ServiceId,
        InstanceId,
        MetricType,
        MetricName,
        Unit,
        Tags,
        TraceId,
        SpanId,
        Metadata,
        Timestamp,
        Value,
        Unknown,
    }

    const Field LastString = Field.Unit;

    const ulong SevenBytes = 0xFFFFFFFFFFFFFF;
    const ulong SixBytes = 0xFFFFFFFFFFFF;

    // Keys are compared as one integer of 8 bytes and one of the rest.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    Field Identify(ref byte text, int start, int length)
    {
        ref var key = ref Unsafe.Add(ref text, start);
        var first = Unsafe.ReadUnaligned<ulong>(ref key);
        switch (length)
        {
            case 4:
                if ((uint)first == Four("unit"u8)) return Field.Unit;
                if ((uint)first == Four("tags"u8)) return Field.Tags;
                break;
            case 5 when (uint)first == Four("valu"u8) && Unsafe.Add(ref key, 4) == 'e': return Field.Value;
            case 7 when (first & SevenBytes) == (Eight("eventId\0"u8) & SevenBytes): return Field.EventId;
            case 8 when first == Eight("metadata"u8): return Field.Metadata;
            case 9:
                if (first == Eight("timestam"u8) && Unsafe.Add(ref key, 8) == 'p') return Field.Timestamp;
                if (first == Eight("serviceI"u8) && Unsafe.Add(ref key, 8) == 'd') return Field.ServiceId;
                break;
            case 10:
                var rest = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref key, 8));
                if (first == Eight("metricNa"u8) && rest == Two("me"u8)) return Field.MetricName;
                if (first == Eight("metricTy"u8) && rest == Two("pe"u8)) return Field.MetricType;
                if (first == Eight("instance"u8) && rest == Two("Id"u8)) return Field.InstanceId;
                break;
        }

        return _special ? IdentifyEscaped(start, length) : Field.Unknown;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Eight(ReadOnlySpan<byte> text) => MemoryMarshal.Read<ulong>(text);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static uint Four(ReadOnlySpan<byte> text) => MemoryMarshal.Read<uint>(text);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ushort Two(ReadOnlySpan<byte> text) => MemoryMarshal.Read<ushort>(text);

    Field IdentifyEscaped(int start, int length)
    {
        // A string without end reaches behind the message; what is wrong with it is found later.
        var raw = _text.AsSpan(start, length);
        if (!raw.Contains((byte)'\\') || JsonText.Check(raw) != null) return Field.Unknown;
        var name = JsonText.Unescape(raw);
        foreach (var field in Enum.GetValues<Field>())
        {
            var isKey = field is not (Field.Unknown or Field.TraceId or Field.SpanId);
            if (isKey && string.Equals(NameOf(field), name, StringComparison.Ordinal)) return field;
        }

        return Field.Unknown;
    }

    static string NameOf(Field field) => JsonNamingPolicy.CamelCase.ConvertName(field.ToString());

    // A string into its range; null leaves it absent.
    bool ReadString(Field field, ref int pos, ref int quote)
    {
        if (_ranges[(int)field] != 0) return Repeated(NameOf(field));
        if (_quotes[quote] != pos) return TryNull(ref pos) || Invalid(NameOf(field), pos, quote, "must be a string");
        var close = _quotes[quote + 1];
        _ranges[(int)field] = Range(pos + 1, close - pos - 1);
        quote += 2;
        pos = close + 1;
        return CheckString(_ranges[(int)field]);
    }

    bool ReadTags(ref int pos, ref int quote)
    {
        if (_ranges[(int)Field.Tags] != 0) return Repeated("tags");
        if (_text[pos] != '{') return TryNull(ref pos) || Invalid("tags", pos, quote, EventRules.Tags);
        var start = pos;
        var end = ReadStrings("tags", pos, ref quote, keepTrace: false);
        if (end < 0) return false;
        _ranges[(int)Field.Tags] = Range(start, end - start);
        pos = end;
        return true;
    }

    bool ReadMetadata(ref int pos, ref int quote)
    {
        if (_text[pos] != '{') return TryNull(ref pos) || Invalid("metadata", pos, quote, EventRules.Metadata);
        var first = quote;
        pos = ReadStrings("metadata", pos, ref quote, keepTrace: true);
        if (pos < 0) return false;
        var entries = (quote - first) / 4;
        return entries <= EventLimits.MaxMetadata || Fail(new(ReasonCodes.InvalidField, "metadata", $"{entries} entries", EventRules.Metadata));
    }

    // An object whose values are all strings; counts and lengths of tags are checked with the series. Returns its end, or -1.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    int ReadStrings(string field, int pos, ref int nextQuote, bool keepTrace)
    {
        ref var text = ref MemoryMarshal.GetArrayDataReference(_text);
        ref var quotes = ref MemoryMarshal.GetArrayDataReference(_quotes);
        var quote = nextQuote;
        var special = _special;
        pos++;
        if (At(ref text, pos) != '"' && At(ref text, pos = SkipSpace(pos)) == '}') return pos + 1;
        while (true)
        {
            var open = Unsafe.Add(ref quotes, quote);
            if (open != pos && open != (pos = SkipSpace(pos))) return No(Malformed(pos, "expected a key in quotes"));
            var close = Unsafe.Add(ref quotes, quote + 1);
            pos = close + 1;
            if (At(ref text, pos) != ':' && At(ref text, pos = SkipSpace(pos)) != ':') return No(Malformed(pos, "expected ':' after a key"));
            pos++;
            if (At(ref text, pos) <= ' ') pos = SkipSpace(pos);
            var valueOpen = Unsafe.Add(ref quotes, quote + 2);
            if (valueOpen != pos) return No(NotText(field, Range(open + 1, close - open - 1), pos, quote + 2));
            var valueClose = Unsafe.Add(ref quotes, quote + 3);
            pos = valueClose + 1;
            if (special && !(CheckString(Range(open + 1, close - open - 1)) && CheckString(Range(valueOpen + 1, valueClose - valueOpen - 1)))) return -1;
            if (keepTrace) KeepTrace(ref Unsafe.Add(ref text, open + 1), close - open - 1, Range(valueOpen + 1, valueClose - valueOpen - 1));
            quote += 4;
            var next = At(ref text, pos);
            if (next is not ((byte)',' or (byte)'}')) next = At(ref text, pos = SkipSpace(pos));
            pos++;
            if (next == ',') continue;
            nextQuote = quote;
            return next == '}' ? pos : No(Malformed(pos - 1, "expected ',' or '}'"));
        }
    }

    static int No(bool failed)
    {
        System.Diagnostics.Debug.Assert(!failed, "Only failures end here.");
        return -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void KeepTrace(ref byte key, int length, long value)
    {
        var first = Unsafe.ReadUnaligned<ulong>(ref key);
        if (length == 7 && (first & SevenBytes) == (Eight("traceId\0"u8) & SevenBytes)) _ranges[(int)Field.TraceId] = value;
        else if (length == 6 && (first & SixBytes) == (Eight("spanId\0\0"u8) & SixBytes)) _ranges[(int)Field.SpanId] = value;
    }

    bool NotText(string field, long key, int pos, int quote) =>
        Invalid($"{field}.{JsonText.Cut(Encoding.UTF8.GetString(Span(key)))}", pos, quote, "must be a string");

    bool Repeated(string field) => Fail(new(ReasonCodes.InvalidField, field, "", "must not appear twice"));

    // The value as it stands in the message goes into the error; if it is no JSON at all, that is the error.
    bool Invalid(string field, int pos, int quote, string rule)
    {
        var end = pos;
        if (!Skip(ref end, ref quote, 0)) return false;
        return Fail(new(ReasonCodes.InvalidField, field, JsonText.Cut(Encoding.UTF8.GetString(_text.AsSpan(pos, end - pos))), rule));
    }

    bool InvalidText(string field, long range, string rule) =>
        Fail(new(ReasonCodes.InvalidField, field, $"\"{JsonText.Cut(Encoding.UTF8.GetString(Span(range)))}\"", rule));

    bool CheckString(long range)
    {
        var start = (int)(range >> 32);
        // A string without end reaches behind the message.
        var length = Math.Min((int)range, _length - start);
        return length < 0 || JsonText.Check(_text.AsSpan(start, length)) is not { } what || Malformed(start, what);
    }

    bool TryNull(ref int pos)
    {
        if (Unsafe.ReadUnaligned<uint>(ref _text[pos]) != Four("null"u8)) return false;
        pos += 4;
        return true;
    }
}
