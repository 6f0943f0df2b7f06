using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace StreamMetrics.ServiceDefaults;

/// <summary>
/// One line for each entry: <c>14:54:37.353 info Worker: joins the group</c>, time in UTC and the last part of the category; an exception
/// follows on lines of its own. The event's name and the full category go to OpenTelemetry, which can search them.
/// </summary>
sealed class ShortConsoleFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "short";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(time.GetUtcNow().ToString("HH:mm:ss.fff ", CultureInfo.InvariantCulture));
        textWriter.Write(Short(logEntry.LogLevel));
        textWriter.Write(logEntry.Category.AsSpan(logEntry.Category.LastIndexOf('.') + 1));
        textWriter.Write(": ");
        textWriter.WriteLine(message.ReplaceLineEndings(" "));
        if (logEntry.Exception is not null) textWriter.WriteLine(logEntry.Exception);
    }

    static string Short(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace ",
        LogLevel.Debug => "debug ",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warning ",
        LogLevel.Error => "error ",
        _ => "critical ",
    };
}
