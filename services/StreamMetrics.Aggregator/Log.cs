namespace StreamMetrics.Aggregator;

static partial class Log
{
    // service catalog
    [LoggerMessage(Level = LogLevel.Information, EventName = "catalog.read", Message = "The service catalog {File} was read: {Services} services")]
    public static partial void CatalogRead(ILogger logger, string file, int services);

    [LoggerMessage(Level = LogLevel.Error, EventName = "catalog.refused", Message = "The change of the service catalog {File} is not taken, what it said before stays: {Reason}")]
    public static partial void CatalogRefused(ILogger logger, string file, string reason);

    // live lane
    [LoggerMessage(Level = LogLevel.Warning, EventName = "live.redis.away", Message = "Redis does not answer ({Reason}): live values wait; events are processed as before")]
    public static partial void RedisAway(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, EventName = "live.redis.back", Message = "Redis answers again: live values are written")]
    public static partial void RedisBack(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "live.redis.emptied", Message = "Redis has lost its contents: every live series is written again")]
    public static partial void RedisEmptied(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "live.topic", Message = "The id of the input topic is not known yet ({Reason}): live values wait; it is asked for again")]
    public static partial void TopicIdUnknown(ILogger logger, string reason);
}
