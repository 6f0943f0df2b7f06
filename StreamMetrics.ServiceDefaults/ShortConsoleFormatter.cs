using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace StreamMetrics.ServiceDefaults;

/// <summary>
/// One line for each entry: <c>14:54:37.353 info Worker: joins the group</c>, time in UTC and the last part of the category. An exception
/// stands behind what it was handled as; only with errors its stack follows. Event names and full categories go to OpenTelemetry.
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
        textWriter.Write(message.ReplaceLineEndings(" "));
        if (logEntry.Exception is { } exception)
        {
            textWriter.Write(logEntry.LogLevel >= LogLevel.Error
                ? $"{Environment.NewLine}{exception}"
                : $" ({exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")})");
        }

        textWriter.WriteLine();
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
