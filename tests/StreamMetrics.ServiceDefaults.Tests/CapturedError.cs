using Xunit;

namespace StreamMetrics.ServiceDefaults.Tests;

/// <summary>Standard error belongs to the process, so tests that read it run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ConsoleCollection
{
    public const string Name = "console";
}

sealed class CapturedError : IDisposable
{
    readonly TextWriter _before = Console.Error;
    readonly StringWriter _text = new();

    public CapturedError() => Console.SetError(TextWriter.Synchronized(_text));

    public string Text => _text.ToString();

    public void Dispose()
    {
        Console.SetError(_before);
        _text.Dispose();
    }
}
