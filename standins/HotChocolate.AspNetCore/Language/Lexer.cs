using System.Globalization;
using System.Text;

namespace HotChocolate.Language;

enum TokenKind
{
    End,
    Punctuator,
    Name,
    Int,
    Float,
    String,
}

/// <summary>A token; of a string the text is its content.</summary>
readonly record struct Token(TokenKind Kind, string Text, Location Location);

/// <summary>The document is no GraphQL.</summary>
sealed class SyntaxException(string message, Location location) : Exception(message)
{
    public Location Location { get; } = location;
}

/// <summary>
/// Cuts a document into tokens (https://spec.graphql.org/October2021/#sec-Language.Source-Text).
/// </summary>
sealed class Lexer(string source)
{
    const string Punctuators = "!$&()[]{}:=@|";

    int _position;
    int _line = 1;
    int _lineStart;

    Location Here => new(_line, _position - _lineStart + 1);

    bool IsAtEnd => _position >= source.Length;

    char Current => _position < source.Length ? source[_position] : '\0';

    char Ahead(int by) => _position + by < source.Length ? source[_position + by] : '\0';

    /// <exception cref="SyntaxException">There is no token.</exception>
    public Token Next()
    {
        SkipIgnored();
        var at = Here;
        if (IsAtEnd) return new(TokenKind.End, "", at);
        var c = Current;
        if (Punctuators.Contains(c, StringComparison.Ordinal))
        {
            _position++;
            return new(TokenKind.Punctuator, c.ToString(), at);
        }

        if (c == '.' && Ahead(1) == '.' && Ahead(2) == '.')
        {
            _position += 3;
            return new(TokenKind.Punctuator, "...", at);
        }

        if (IsNameStart(c)) return Name(at);
        if (char.IsAsciiDigit(c) || c == '-') return Number(at);
        if (c == '"') return Ahead(1) == '"' && Ahead(2) == '"' ? BlockString(at) : String(at);
        throw Unexpected(at);
    }

    static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';

    static bool IsNamePart(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    // whitespace, commas, the byte order mark, line ends and comments
    void SkipIgnored()
    {
        while (!IsAtEnd)
        {
            var c = Current;
            if (c is '\r' or '\n') NewLine();
            else if (c is ' ' or '\t' or ',' or '\ufeff') _position++;
            else if (c == '#') while (!IsAtEnd && Current is not ('\r' or '\n')) _position++;
            else return;
        }
    }

    void NewLine()
    {
        _position += Current == '\r' && Ahead(1) == '\n' ? 2 : 1;
        _line++;
        _lineStart = _position;
    }

    Token Name(Location at)
    {
        var start = _position;
        while (IsNamePart(Current)) _position++;
        return new(TokenKind.Name, source[start.._position], at);
    }

    Token Number(Location at)
    {
        var start = _position;
        var kind = TokenKind.Int;
        if (Current == '-') _position++;
        if (Current == '0' && char.IsAsciiDigit(Ahead(1))) throw new SyntaxException("A number must not begin with 0.", Here);
        Digits();
        if (Current == '.')
        {
            kind = TokenKind.Float;
            _position++;
            Digits();
        }

        if (Current is 'e' or 'E')
        {
            kind = TokenKind.Float;
            _position++;
            if (Current is '+' or '-') _position++;
            Digits();
        }

        if (Current == '.' || IsNameStart(Current)) throw Unexpected(Here);
        return new(kind, source[start.._position], at);
    }

    void Digits()
    {
        if (!char.IsAsciiDigit(Current)) throw IsAtEnd ? new SyntaxException("A number ends too early.", Here) : Unexpected(Here);
        while (char.IsAsciiDigit(Current)) _position++;
    }

    Token String(Location at)
    {
        var text = new StringBuilder();
        _position++;
        while (Current != '"')
        {
            if (IsAtEnd || Current is '\r' or '\n') throw new SyntaxException("A string is not closed.", at);
            if (Current == '\\') Escape(text);
            else text.Append(SourceCharacter());
        }

        _position++;
        return new(TokenKind.String, text.ToString(), at);
    }

    char SourceCharacter() => Current is < ' ' and not '\t' ? throw Unexpected(Here) : source[_position++];

    void Escape(StringBuilder text)
    {
        var at = Here;
        var c = Ahead(1);
        var simple = "\"\\/bfnrt".IndexOf(c, StringComparison.Ordinal);
        if (simple >= 0 && c != '\0')
        {
            text.Append("\"\\/\b\f\n\r\t"[simple]);
            _position += 2;
            return;
        }

        if (c != 'u' || _position + 6 > source.Length
            || !ushort.TryParse(source.AsSpan(_position + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            throw new SyntaxException("A string has an escape that there is not.", at);
        text.Append((char)code);
        _position += 6;
    }

    Token BlockString(Location at)
    {
        var raw = new StringBuilder();
        _position += 3;
        while (!(Current == '"' && Ahead(1) == '"' && Ahead(2) == '"'))
        {
            if (IsAtEnd) throw new SyntaxException("A block string is not closed.", at);
            if (Current == '\\' && string.CompareOrdinal(source, _position, "\\\"\"\"", 0, 4) == 0)
            {
                raw.Append("\"\"\"");
                _position += 4;
            }
            else if (Current is '\r' or '\n')
            {
                raw.Append('\n');
                NewLine();
            }
            else
            {
                raw.Append(SourceCharacter());
            }
        }

        _position += 3;
        return new(TokenKind.String, Dedent(raw.ToString()), at);
    }

    // https://spec.graphql.org/October2021/#BlockStringValue()
    static string Dedent(string raw)
    {
        var lines = raw.Split('\n');
        var indents = lines.Skip(1).Where(l => !IsBlank(l)).Select(Indent).ToList();
        var common = indents.Count == 0 ? 0 : indents.Min();
        for (var i = 1; i < lines.Length; i++) lines[i] = lines[i].Length < common ? "" : lines[i][common..];
        var first = Array.FindIndex(lines, l => !IsBlank(l));
        return first < 0 ? "" : string.Join('\n', lines[first..(Array.FindLastIndex(lines, l => !IsBlank(l)) + 1)]);
    }

    static int Indent(string line) => line.Length - line.TrimStart(' ', '\t').Length;

    static bool IsBlank(string line) => Indent(line) == line.Length;

    SyntaxException Unexpected(Location at) => new(
        Current is < ' ' or > '~'
            ? string.Create(CultureInfo.InvariantCulture, $"Unexpected character U+{(int)Current:X4}.")
            : $"Unexpected character '{Current}'.",
        at);
}
