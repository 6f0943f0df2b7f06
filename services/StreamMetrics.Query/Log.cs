namespace StreamMetrics.Query;

static partial class Log
{
    // stores
    [LoggerMessage(Level = LogLevel.Warning, EventName = "query.store.lost", Message = "{Store} does not answer; questions go to the other store until it does")]
    public static partial void StoreLost(ILogger logger, string store, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, EventName = "query.store.returned", Message = "{Store} answers again")]
    public static partial void StoreReturned(ILogger logger, string store);

    // pipeline
    [LoggerMessage(Level = LogLevel.Warning, EventName = "query.pipeline.kafka-lost", Message = "Kafka does not tell its offsets; lag is unknown until it does: {Reason}")]
    public static partial void KafkaLost(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, EventName = "query.pipeline.kafka-returned", Message = "Kafka tells its offsets again")]
    public static partial void KafkaReturned(ILogger logger);

    // GraphQL
    [LoggerMessage(Level = LogLevel.Error, EventName = "query.graphql.failed", Message = "A GraphQL field or operation failed in a way that nobody expected")]
    public static partial void GraphQLFailed(ILogger logger, Exception exception);

    // live values
    [LoggerMessage(Level = LogLevel.Warning, EventName = "query.live.unreadable", Message = "A published value is left out, it cannot be read: {Reason}")]
    public static partial void UnreadableLiveValue(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Debug, EventName = "query.live.unsubscribe-failed", Message = "A channel could not be left in order: {Reason}")]
    public static partial void UnsubscribeFailed(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "query.live.interest", Message = "Redis was not told what is watched, values may come every half second only: {Reason}")]
    public static partial void InterestNotWritten(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "query.live.not-followed", Message = "The live values of {Service} cannot be followed yet, it is tried again: {Reason}")]
    public static partial void NotFollowed(ILogger logger, string service, string reason);
}
