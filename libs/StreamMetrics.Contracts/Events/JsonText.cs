using System.Text;
using System.Text.Json;

namespace StreamMetrics.Contracts.Events;

/// <summary>The content of JSON strings (RFC 8259, section 7), quotes left out.</summary>
static class JsonText
{
    const int MaxShown = 64;

    /// <summary>What is wrong with a string's content; null when nothing is. It is valid UTF-8 already.</summary>
    public static string? Check(ReadOnlySpan<byte> content)
    {
        if (content.ContainsAnyInRange((byte)0, (byte)0x1F)) return "a control character in a string must be escaped";
        if (!content.Contains((byte)'\\')) return null;
        for (var i = 0; i < content.Length; i++)
        {
            if (content[i] != '\\') continue;
            if (++i == content.Length) return "a string does not end";
            if ("\"\\/bfnrt"u8.Contains(content[i])) continue;
            if (content[i] != 'u' || !TryHex(content, i + 1, out var unit)) return "unknown escape in a string";
            i += 4;
            if (!char.IsSurrogate(unit)) continue;
            var paired = char.IsHighSurrogate(unit) && content.Length > i + 6 && content[i + 1] == '\\' && content[i + 2] == 'u'
                && TryHex(content, i + 3, out var second) && char.IsLowSurrogate(second);
            if (!paired) return "a surrogate in a string must be paired";
            i += 6;
        }

        return null;
    }

    /// <summary>The text of a string's content, which <see cref="Check"/> found right.</summary>
    public static string Unescape(ReadOnlySpan<byte> content)
    {
        if (!content.Contains((byte)'\\')) return Encoding.UTF8.GetString(content);
        var quoted = new byte[content.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        content.CopyTo(quoted.AsSpan(1));
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return reader.GetString()!;
    }

    /// <summary>Length of the text, UTF-16 units, as .NET and Java count characters.</summary>
    public static int LengthOf(ReadOnlySpan<byte> content) =>
        content.Contains((byte)'\\') ? Unescape(content).Length : Encoding.UTF8.GetCharCount(content);

    /// <summary>At most 64 characters of a text, for messages.</summary>
    public static string Cut(string text) => text.Length <= MaxShown ? text : string.Concat(text.AsSpan(0, MaxShown), "…");

    static bool TryHex(ReadOnlySpan<byte> content, int start, out char unit)
    {
        unit = default;
        if (content.Length < start + 4) return false;
        if (System.Buffers.Text.Utf8Parser.TryParse(content.Slice(start, 4), out ushort value, out var used, 'x') && used == 4)
        {
            unit = (char)value;
            return true;
        }

        return false;
    }
}
