using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace Aspire.Confluent.Kafka;

static partial class Log
{
    public const string Category = "Aspire.Confluent.Kafka";

    /// <summary>Hands a message of the native client on with its own level.</summary>
    public static void Forward(ILogger logger, LogMessage message)
    {
        var level = (LogLevel)message.LevelAs(LogLevelType.MicrosoftExtensionsLogging);
        if (logger.IsEnabled(level)) Client(logger, level, message.Facility, message.Message);
    }

    [LoggerMessage(EventName = "kafka.client", Message = "{Facility}: {Text}")]
    static partial void Client(ILogger logger, LogLevel level, string facility, string text);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "kafka.loghandler", Message = "LogHandler is already set. Skipping... No logs will be written.")]
    public static partial void HandlerAlreadySet(ILogger logger);
}
