using Microsoft.Extensions.Logging;

namespace StreamMetrics.Client;

static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, EventName = "client.kafka.trouble", Message = "Kafka: {Reason}; the client goes on trying")]
    public static partial void Trouble(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "client.events.refused", Message = "Kafka refused an event for good: {Reason}")]
    public static partial void Refused(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "client.events.dropped", Message = "{Count} events were dropped; streammetrics.client.events.dropped says why")]
    public static partial void Dropped(ILogger logger, long count);

    [LoggerMessage(Level = LogLevel.Error, EventName = "client.producer.replaced",
        Message = "The Kafka producer failed for good and is replaced; {Count} events were dropped: {Reason}")]
    public static partial void ProducerReplaced(ILogger logger, long count, string reason);

    [LoggerMessage(Level = LogLevel.Error, EventName = "client.sender.failed", Message = "The sender of events failed; from now on events are dropped")]
    public static partial void SenderFailed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "client.callback.failed", Message = "A callback of an observable instrument failed; its value is missing")]
    public static partial void CallbackFailed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, EventName = "client.kafka.log", Message = "{Text}")]
    public static partial void Kafka(ILogger logger, string text);
}
