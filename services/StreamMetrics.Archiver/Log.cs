namespace StreamMetrics.Archiver;

static partial class Log
{
    // Database

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.database.migrated", Message = "Applied schema step {Version}: {Name}")]
    public static partial void Migrated(ILogger logger, int version, string name);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.database.waiting", Message = "Waiting for PostgreSQL: {Reason}")]
    public static partial void WaitingForDatabase(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.database.away",
        Message = "PostgreSQL is away; consuming pauses and goes on where it stopped: {Reason}")]
    public static partial void DatabaseAway(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.database.back", Message = "PostgreSQL is back after {Length}")]
    public static partial void DatabaseBack(ILogger logger, TimeSpan length);

    // Sink

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.sink.assigned", Message = "Archiving {Partitions}")]
    public static partial void Assigned(ILogger logger, string partitions);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.sink.revoked", Message = "No longer archiving {Partitions}")]
    public static partial void Revoked(ILogger logger, string partitions);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.sink.taken",
        Message = "{Partition} is no longer at offset {Expected}: another instance went on, or a commit succeeded whose answer was lost; joining the group anew")]
    public static partial void OffsetsTaken(ILogger logger, string partition, long expected);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.sink.rejected",
        Message = "{Record} is no aggregate and is kept in sink_rejects: {Reason}")]
    public static partial void Rejected(ILogger logger, string record, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.sink.restarted",
        Message = "{Partition} was to go on at {Expected} but begins at {Found}: the topic was created anew, or records were deleted before they were archived")]
    public static partial void OffsetsReset(ILogger logger, string partition, long expected, long found);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.sink.kafka", Message = "Kafka: {Reason}; consuming is tried again")]
    public static partial void ConsumeFailed(ILogger logger, string reason);

    // Hot history

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.history.away",
        Message = "Redis is away; its history is filled from PostgreSQL when it is back: {Reason}")]
    public static partial void RedisAway(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.history.filled", Message = "Filled the hot history from PostgreSQL: {Rows} rows")]
    public static partial void HistoryFilled(ILogger logger, long rows);
}
