using System.Globalization;
using System.Runtime.CompilerServices;

namespace StreamMetrics.Contracts.Events;

// Second pass: numbers, and values that are passed over.
public sealed partial class EventReader
{
    // 15 digits: to the year 33658, and no overflow in any sum of times.
    const int MaxTimestampDigits = 15;

    // Up to 2^53 and 10^22 both are exact doubles, so one division rounds correctly (Clinger, 1990).
    const int MaxExactDigits = 15;

    static readonly double[] PowersOfTen = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    EventError? ReadTimestamp(ref int pos, ref int quote)
    {
        ref var start = ref _text[pos];
        var value = 0L;
        var digits = 0;
        for (; digits <= MaxTimestampDigits; digits++)
        {
            var digit = (uint)(Unsafe.Add(ref start, digits) - '0');
            if (digit > 9) break;
            value = value * 10 + digit;
        }

        var next = Unsafe.Add(ref start, digits);
        var isInteger = digits is > 0 and <= MaxTimestampDigits && (start != '0' || digits == 1) && next is not ((byte)'.' or (byte)'e' or (byte)'E');
        if (_hasTimestamp || !isInteger) return NoTimestamp(ref pos, quote);
        Timestamp = value;
        _hasTimestamp = true;
        pos += digits;
        return null;
    }

    EventError? NoTimestamp(ref int pos, int quote)
    {
        if (_hasTimestamp) return Repeated("timestamp");
        return TryNull(ref pos) ? null : Invalid("timestamp", pos, quote, EventRules.Timestamp);
    }

    EventError? ReadValue(ref int pos, ref int quote)
    {
        if (_hasValue) return Repeated("value");
        ref var start = ref _text[pos];
        var negative = start == '-' ? 1 : 0;
        var at = negative;
        var mantissa = 0L;
        uint digit;
        for (; (digit = (uint)(Unsafe.Add(ref start, at) - '0')) <= 9 && at <= MaxExactDigits + 1; at++) mantissa = mantissa * 10 + digit;
        var whole = at - negative;
        var fraction = 0;
        if (whole > 0 && Unsafe.Add(ref start, at) == '.')
        {
            at++;
            for (; (digit = (uint)(Unsafe.Add(ref start, at) - '0')) <= 9 && fraction <= MaxExactDigits; at++, fraction++) mantissa = mantissa * 10 + digit;
            if (fraction == 0) whole = 0;
        }

        var end = Unsafe.Add(ref start, at);
        var simple = whole > 0 && whole + fraction <= MaxExactDigits && end is not ((byte)'e' or (byte)'E')
            && (whole == 1 || Unsafe.Add(ref start, negative) != '0');
        if (!simple) return ReadAnyValue(ref pos, ref quote);
        var value = mantissa / PowersOfTen[fraction];
        Value = (negative != 0 ? -value : value) + 0.0; // no negative zero
        _hasValue = true;
        pos += at;
        return null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    EventError? ReadAnyValue(ref int pos, ref int quote)
    {
        if (TryNull(ref pos)) return null;
        var start = pos;
        var startQuote = quote;
        if (NotFinite(_text.AsSpan(pos, Math.Min(12, _length - pos))) is { } word) return new(ReasonCodes.ValueNotFinite, "value", word, EventRules.Value);
        if (_text[pos] is not ((byte)'-' or (>= (byte)'0' and <= (byte)'9'))) return Invalid("value", start, startQuote, EventRules.Value);
        if (Skip(ref pos, ref quote, 0) is { } malformed) return malformed;
        var number = _text.AsSpan(start, pos - start);
        var value = double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (!double.IsFinite(value)) return new(ReasonCodes.ValueNotFinite, "value", JsonText.Cut(System.Text.Encoding.UTF8.GetString(number)), EventRules.Value);
        Value = value + 0.0;
        _hasValue = true;
        return null;
    }

    // What serialisers of several languages write for numbers that are not finite, quoted or not.
    static string? NotFinite(ReadOnlySpan<byte> text)
    {
        if (text.Length > 0 && text[0] == '"') text = text[1..];
        if (text.StartsWith("NaN"u8)) return "NaN";
        if (text.StartsWith("Infinity"u8) || text.StartsWith("+Infinity"u8)) return "Infinity";
        return text.StartsWith("-Infinity"u8) ? "-Infinity" : null;
    }

    // Passes over any JSON value.
    EventError? Skip(ref int pos, ref int quote, int depth)
    {
        switch (_text[pos])
        {
            case (byte)'"':
                var range = (pos + 1, _quotes[quote + 1] - pos - 1);
                pos = _quotes[quote + 1] + 1;
                quote += 2;
                return pos > _length ? Malformed(pos, "a string does not end") : _special ? CheckString(range) : null;
            case (byte)'{': return SkipList(ref pos, ref quote, depth, isObject: true);
            case (byte)'[': return SkipList(ref pos, ref quote, depth, isObject: false);
            case (byte)'t': return SkipWord("true"u8, ref pos);
            case (byte)'f': return SkipWord("false"u8, ref pos);
            case (byte)'n': return SkipWord("null"u8, ref pos);
            default: return SkipNumber(ref pos);
        }
    }

    EventError? SkipList(ref int pos, ref int quote, int depth, bool isObject)
    {
        if (depth == MaxDepth) return Malformed(pos, $"nested deeper than {MaxDepth}");
        var end = isObject ? '}' : ']';
        pos++;
        if (SkipSpaceTo(ref pos, end))
        {
            pos++;
            return null;
        }

        while (true)
        {
            pos = SkipSpace(pos);
            if (isObject)
            {
                if (_text[pos] != '"') return Malformed(pos, "expected a key in quotes");
                if (Skip(ref pos, ref quote, depth) is { } badKey) return badKey;
                if (!SkipSpaceTo(ref pos, ':')) return Malformed(pos, "expected ':' after a key");
                pos = SkipSpace(pos + 1);
            }

            if (Skip(ref pos, ref quote, depth + 1) is { } error) return error;
            if (SkipSpaceTo(ref pos, end)) break;
            if (_text[pos++] != ',') return Malformed(pos - 1, $"expected ',' or '{end}'");
        }

        pos++;
        return null;
    }

    EventError? SkipWord(ReadOnlySpan<byte> word, ref int pos)
    {
        if (!_text.AsSpan(pos, word.Length).SequenceEqual(word)) return Malformed(pos, "expected a value");
        pos += word.Length;
        return null;
    }

    // number = [-] (0 | 1-9 digits) [. digits] [e [+-] digits]
    EventError? SkipNumber(ref int pos)
    {
        var at = pos;
        if (_text[at] == '-') at++;
        var first = at;
        var digits = Digits(ref at);
        if (digits == 0) return Malformed(pos, "expected a value");
        if (digits > 1 && _text[first] == '0') return Malformed(first, "a number must not start with 0");
        if (_text[at] == '.')
        {
            at++;
            if (Digits(ref at) == 0) return Malformed(at, "expected a digit");
        }

        if (_text[at] is (byte)'e' or (byte)'E')
        {
            at++;
            if (_text[at] is (byte)'+' or (byte)'-') at++;
            if (Digits(ref at) == 0) return Malformed(at, "expected a digit");
        }

        pos = at;
        return null;
    }

    int Digits(ref int pos)
    {
        var start = pos;
        while (_text[pos] is >= (byte)'0' and <= (byte)'9') pos++;
        return pos - start;
    }
}
