using Microsoft.Extensions.Logging;

namespace StreamMetrics.ServiceDefaults;

static partial class Log
{
    [LoggerMessage(Level = LogLevel.Critical, EventName = "service.worker.failed", Message = "{Worker} failed, the service stops")]
    public static partial void WorkerFailed(ILogger logger, string worker, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, EventName = "kafka.waiting", Message = "Waiting for Kafka at {Servers}: {Reason}")]
    public static partial void WaitingForBrokers(ILogger logger, string servers, string reason);

    [LoggerMessage(Level = LogLevel.Information, EventName = "kafka.brokers.waiting", Message = "Waiting for all brokers: {Brokers} of {Wanted} are there")]
    public static partial void WaitingForMoreBrokers(ILogger logger, int brokers, int wanted);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "kafka.brokers.missing",
        Message = "{Brokers} of {Wanted} Kafka brokers are there; topics are created with that many copies at most")]
    public static partial void BrokersMissing(ILogger logger, int brokers, int wanted);

    [LoggerMessage(Level = LogLevel.Information, EventName = "kafka.topic.created", Message = "Created topic {Topic}: {Partitions} partitions, {Copies} copies")]
    public static partial void TopicCreated(ILogger logger, string topic, int partitions, int copies);

    [LoggerMessage(Level = LogLevel.Information, EventName = "kafka.topic.retry", Message = "Creating topics failed and is tried again: {Reason}")]
    public static partial void TopicCreationRetried(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "kafka.topic.drift", Message = "Topic {Topic} differs from its definition and is used as it is: {Differences}")]
    public static partial void TopicDrift(ILogger logger, string topic, string differences);

    [LoggerMessage(Level = LogLevel.Information, EventName = "kafka.topic.unchecked", Message = "The settings of the topics were not compared: {Reason}")]
    public static partial void TopicSettingsUnchecked(ILogger logger, string reason);
}
