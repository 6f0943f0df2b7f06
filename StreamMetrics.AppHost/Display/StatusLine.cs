using System.Text;

namespace StreamMetrics.AppHost.Display;

/// <summary>
/// On a terminal: one line at the bottom that is written anew in place, while other lines pass above it. Else every text is a line of its own.
/// </summary>
sealed class StatusLine : IDisposable
{
    const int AssumedWidth = 120;

    readonly TextWriter _terminal = Console.Out;
    readonly Lock _lock = new();
    string _text = "";

    public StatusLine()
    {
        IsLive = !Console.IsOutputRedirected;
        if (IsLive) Console.SetOut(new AboveWriter(this));
    }

    /// <summary>Whether the line is written in place.</summary>
    public bool IsLive { get; }

    public void Show(string text)
    {
        if (!IsLive)
        {
            _terminal.WriteLine(text);
            return;
        }

        lock (_lock)
        {
            // A line that wraps could not be taken back. Some terminals do not know their width.
            var width = Console.BufferWidth > 1 ? Console.BufferWidth - 1 : AssumedWidth;
            _text = text.Length > width ? text[..width] : text;
            _terminal.Write($"\r\e[K{_text}");
            _terminal.Flush();
        }
    }

    public void Dispose()
    {
        if (!IsLive) return;
        Console.SetOut(_terminal);
        lock (_lock)
        {
            if (_text.Length > 0) _terminal.WriteLine();
        }
    }

    void WriteAbove(string line)
    {
        lock (_lock)
        {
            if (_text.Length > 0) _terminal.Write("\r\e[K");
            _terminal.WriteLine(line);
            _terminal.Write(_text);
            _terminal.Flush();
        }
    }

    sealed class AboveWriter(StatusLine owner) : TextWriter
    {
        readonly StringBuilder _line = new();

        public override Encoding Encoding => owner._terminal.Encoding;

        public override void Write(char value) => Write(value.ToString());

        public override void Write(string? value)
        {
            if (value is null) return;
            lock (_line)
            {
                _line.Append(value);
                for (var end = IndexOfNewLine(); end >= 0; end = IndexOfNewLine())
                {
                    owner.WriteAbove(_line.ToString(0, end).TrimEnd('\r'));
                    _line.Remove(0, end + 1);
                }
            }
        }

        public override void WriteLine(string? value) => Write(value + "\n");

        int IndexOfNewLine()
        {
            for (var i = 0; i < _line.Length; i++)
            {
                if (_line[i] == '\n') return i;
            }

            return -1;
        }
    }
}
