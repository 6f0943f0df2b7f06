using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace StreamMetrics.Contracts.Events;

// Second pass: numbers, and values that are passed over.
public sealed partial class EventReader
{
    // 15 digits: to the year 33658, and no overflow in any sum of times.
    const int MaxTimestampDigits = 15;

    // The times of our days.
    const int UsualTimestampDigits = 13;

    const ulong Zeros = 0x3030303030303030;
    const ulong HighNibbles = 0xF0F0F0F0F0F0F0F0;

    // Numbers with at most 8 characters before and after the point have at most 15 digits, which a double holds exactly, as it does
    // 10^22: one division rounds correctly (Clinger: "How to read floating point numbers accurately", 1990).
    static readonly double[] PowersOfTen = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

    bool ReadTimestamp(ref int pos, int quote)
    {
        ref var start = ref _text[pos];
        var first = Unsafe.ReadUnaligned<ulong>(ref start);
        var last = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, UsualTimestampDigits - 8));
        var next = Unsafe.Add(ref start, UsualTimestampDigits);
        if (!AreDigits(first) || !AreDigits(last) || next is not ((byte)',' or (byte)'}') || start == '0' || _hasTimestamp) return ReadAnyTimestamp(ref pos, quote);
        // 5 digits of the first eight, and the last eight.
        Timestamp = (long)(EightDigits(first) / 1000 * 100_000_000 + EightDigits(last));
        _hasTimestamp = true;
        pos += UsualTimestampDigits;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    bool ReadAnyTimestamp(ref int pos, int quote)
    {
        if (_hasTimestamp) return Repeated("timestamp");
        var start = pos;
        if (TryNull(ref pos)) return true;
        var end = pos;
        var digits = Digits(ref end);
        var isInteger = digits is > 0 and <= MaxTimestampDigits && (_text[start] != '0' || digits == 1) && _text[end] is not ((byte)'.' or (byte)'e' or (byte)'E');
        if (!isInteger) return Invalid("timestamp", start, quote, EventRules.Timestamp);
        Timestamp = long.Parse(_text.AsSpan(start, digits), CultureInfo.InvariantCulture);
        _hasTimestamp = true;
        pos = end;
        return true;
    }

    // Eight ASCII digits at once: each has the high nibble 3, and still has it after 6 was added.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static bool AreDigits(ulong text) => (text & HighNibbles) == Zeros && ((text + 0x0606060606060606) & HighNibbles) == Zeros;

    // The number of eight digits, first digit in the lowest byte: pairs, then fours, then all.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong EightDigits(ulong text)
    {
        text &= 0x0F0F0F0F0F0F0F0F;
        text = (text * 10 + (text >> 8)) & 0x00FF00FF00FF00FF;
        text = (text * 100 + (text >> 16)) & 0x0000FFFF0000FFFF;
        return (text * 10_000 + (text >> 32)) & 0xFFFFFFFF;
    }

    // Digits, perhaps a point and more digits, 8 characters at most; everything else is left to ReadAnyValue.
    bool ReadValue(ref int pos, ref int quote)
    {
        ref var start = ref _text[pos];
        var text = Unsafe.ReadUnaligned<ulong>(ref start);
        var window = Vector128.LoadUnsafe(ref start);
        var other = ~Vector128.LessThan(window - Vector128.Create((byte)'0'), Vector128.Create((byte)10)).ExtractMostSignificantBits();
        var point = BitOperations.TrailingZeroCount(other);
        var hasPoint = Unsafe.Add(ref start, point) == '.';
        var end = hasPoint ? BitOperations.TrailingZeroCount(other & (other - 1)) : point;
        var next = Unsafe.Add(ref start, end);
        var digits = hasPoint ? end - 1 : end;
        var isUsual = point is > 0 and <= 8 && end <= 8 && next is (byte)',' or (byte)'}' && (point == 1 || start != '0') && (!hasPoint || end > point + 1);
        if (!isUsual || _hasValue) return ReadAnyValue(ref pos, ref quote);
        // The point is taken out, and the digits are moved to the high end, behind zeros.
        var before = (1ul << (8 * point & 63)) - 1;
        var joined = point == 8 ? text : hasPoint ? (text & before) | ((text >> 8) & ~before) : text & before;
        Value = EightDigits(joined << (64 - 8 * digits)) / PowersOfTen[digits - point];
        _hasValue = true;
        pos += end;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    bool ReadAnyValue(ref int pos, ref int quote)
    {
        if (_hasValue) return Repeated("value");
        if (TryNull(ref pos)) return true;
        var start = pos;
        if (NotFinite(_text.AsSpan(pos, Math.Max(0, Math.Min(12, _length - pos)))) is { } word) return Fail(new(ReasonCodes.ValueNotFinite, "value", word, EventRules.Value));
        if (_text[pos] is not ((byte)'-' or (>= (byte)'0' and <= (byte)'9'))) return Invalid("value", start, quote, EventRules.Value);
        if (!Skip(ref pos, ref quote, 0)) return false;
        var number = _text.AsSpan(start, pos - start);
        var value = double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (!double.IsFinite(value)) return Fail(new(ReasonCodes.ValueNotFinite, "value", JsonText.Cut(Encoding.UTF8.GetString(number)), EventRules.Value));
        Value = value + 0.0; // no negative zero
        _hasValue = true;
        return true;
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
    bool Skip(ref int pos, ref int quote, int depth)
    {
        switch (_text[pos])
        {
            case (byte)'"':
                var content = Range(pos + 1, _quotes[quote + 1] - pos - 1);
                pos = _quotes[quote + 1] + 1;
                quote += 2;
                return pos > _length ? Malformed(pos, "a string does not end") : !_special || CheckString(content);
            case (byte)'{': return SkipList(ref pos, ref quote, depth, isObject: true);
            case (byte)'[': return SkipList(ref pos, ref quote, depth, isObject: false);
            case (byte)'t': return SkipWord("true"u8, ref pos);
            case (byte)'f': return SkipWord("false"u8, ref pos);
            case (byte)'n': return SkipWord("null"u8, ref pos);
            default: return SkipNumber(ref pos);
        }
    }

    bool SkipList(ref int pos, ref int quote, int depth, bool isObject)
    {
        if (depth == MaxDepth) return Malformed(pos, $"nested deeper than {MaxDepth}");
        var end = isObject ? '}' : ']';
        pos = SkipSpace(pos + 1);
        if (_text[pos] == end)
        {
            pos++;
            return true;
        }

        while (true)
        {
            pos = SkipSpace(pos);
            if (isObject && !SkipKey(ref pos, ref quote)) return false;
            if (!Skip(ref pos, ref quote, depth + 1)) return false;
            pos = SkipSpace(pos);
            var next = _text[pos++];
            if (next == end) return true;
            if (next != ',') return Malformed(pos - 1, $"expected ',' or '{end}'");
        }
    }

    bool SkipKey(ref int pos, ref int quote)
    {
        if (_text[pos] != '"') return Malformed(pos, "expected a key in quotes");
        if (!Skip(ref pos, ref quote, 0)) return false;
        pos = SkipSpace(pos);
        if (_text[pos] != ':') return Malformed(pos, "expected ':' after a key");
        pos = SkipSpace(pos + 1);
        return true;
    }

    bool SkipWord(ReadOnlySpan<byte> word, ref int pos)
    {
        if (!_text.AsSpan(pos, word.Length).SequenceEqual(word)) return Malformed(pos, "expected a value");
        pos += word.Length;
        return true;
    }

    // number = [-] (0 | 1-9 digits) [. digits] [e [+-] digits]
    bool SkipNumber(ref int pos)
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
        return true;
    }

    int Digits(ref int pos)
    {
        var start = pos;
        while (_text[pos] is >= (byte)'0' and <= (byte)'9') pos++;
        return pos - start;
    }
}
