namespace Aspire.Hosting;

/// <summary>Whole lines to standard output; tests read them instead.</summary>
interface IConsoleWriter
{
    void WriteLine(string line);

    /// <summary>A line of a resource, its name before it in a colour of its own where the terminal has colours.</summary>
    void WriteResourceLine(string name, string line);
}

sealed class ConsoleWriter : IConsoleWriter
{
    const int NameWidth = 14;

    // ANSI: cyan, green, yellow, magenta, blue, and their bright forms; red is left for errors.
    static readonly string[] Colours = ["36", "32", "33", "35", "34", "96", "92", "93", "95", "94"];

    readonly bool _colours = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
    readonly Lock _lock = new();
    readonly Dictionary<string, string> _colourByName = [];

    public void WriteLine(string line) => Console.Out.WriteLine(line);

    public void WriteResourceLine(string name, string line)
    {
        var label = name.PadRight(NameWidth);
        Console.Out.WriteLine(_colours ? $"\e[{ColourOf(name)}m{label}\e[0m {line}" : $"{label} {line}");
    }

    string ColourOf(string name)
    {
        lock (_lock)
        {
            if (!_colourByName.TryGetValue(name, out var colour))
            {
                colour = Colours[_colourByName.Count % Colours.Length];
                _colourByName[name] = colour;
            }

            return colour;
        }
    }
}

/// <summary>Keeps the lines about a resource among those of the resource, so that the dashboard shows them as well.</summary>
sealed class ResourceConsole(IConsoleWriter console, ApplicationModel.ResourceLoggerService logs) : IConsoleWriter
{
    public void WriteLine(string line) => console.WriteLine(line);

    public void WriteResourceLine(string name, string line) => Write(name, line, isError: false);

    public void Write(string name, string line, bool isError)
    {
        logs.Add(name, line, isError);
        console.WriteResourceLine(name, line);
    }
}
