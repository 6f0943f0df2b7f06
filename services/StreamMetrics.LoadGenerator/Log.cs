namespace StreamMetrics.LoadGenerator;

static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, EventName = "generator.started",
        Message = "Generating {Rate} events/s: {Series} series of {Services} services, ledger in {Folder}")]
    public static partial void Started(ILogger logger, double rate, int series, int services, string folder);

    [LoggerMessage(Level = LogLevel.Information, EventName = "generator.ledger.recounted",
        Message = "The ledger of the last run was read; {Count} events of it that were not written down were counted in the topic")]
    public static partial void Recounted(ILogger logger, long count);

    [LoggerMessage(Level = LogLevel.Information, EventName = "generator.ledger.recount.retry", Message = "Counting in the topic is tried again: {Reason}")]
    public static partial void RecountRetried(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "generator.ledger.offset.gone",
        Message = "Partition {Partition} was counted up to offset {Offset}, but holds {Low} to {High}: what lay between is not in the ledger")]
    public static partial void LedgerOffsetGone(ILogger logger, int partition, long offset, long low, long high);

    [LoggerMessage(Level = LogLevel.Information, EventName = "generator.rate.changed", Message = "The rate is now {Rate} events/s, paused: {Paused}")]
    public static partial void RateChanged(ILogger logger, double rate, bool paused);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "generator.rate.missed",
        Message = "The rate of {Rate} events/s is not reached: {Missed} events missed so far, {InFlight} wait for an acknowledgement")]
    public static partial void RateMissed(ILogger logger, double rate, long missed, long inFlight);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "generator.kafka.trouble", Message = "Kafka: {Reason}; the generator goes on trying")]
    public static partial void Trouble(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Debug, EventName = "generator.kafka.log", Message = "{Text}")]
    public static partial void Kafka(ILogger logger, string text);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "generator.stopped.unacknowledged",
        Message = "Stopped with {Count} events not acknowledged; those that Kafka has will be counted at the next start")]
    public static partial void StoppedUnacknowledged(ILogger logger, long count);

    [LoggerMessage(Level = LogLevel.Information, EventName = "generator.stopped", Message = "Stopped; all {Count} events are acknowledged and in the ledger")]
    public static partial void Stopped(ILogger logger, long count);
}
