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

    // Roll-ups and retention

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.rollup.gone",
        Message = "The {Window} from {Bucket:O} of {Service} {Metric} stays without a late correction: rows of {Table} before {Dropped:O} were dropped")]
    public static partial void RollupInputGone(ILogger logger, string window, DateTime bucket, string service, string metric, string table, DateTime dropped);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.retention.dropped", Message = "Dropped {Partition}: {From:O} to {To:O} has expired")]
    public static partial void PartitionDropped(ILogger logger, string partition, DateTimeOffset from, DateTimeOffset to);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.retention.awaited", Message = "{Partition} has expired and stays until its roll-ups are computed")]
    public static partial void PartitionAwaited(ILogger logger, string partition);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.retention.busy", Message = "{Partition} has expired but is in use; it is dropped later")]
    public static partial void PartitionBusy(ILogger logger, string partition);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.retention.changed", Message = "{Partition} has expired but was written to meanwhile; it is archived anew and dropped later")]
    public static partial void PartitionChanged(ILogger logger, string partition);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.retention.left-over",
        Message = "{Partition} holds {Rows} rows that came after it was archived and dropped; they stay, since archiving them would replace what is archived")]
    public static partial void PartitionLeftOver(ILogger logger, string partition, long rows);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.archive.none",
        Message = "There is no archive: expired partitions are dropped without a copy (Archiver:Archive:Directory and Archiver:Archive:Bucket are not set)")]
    public static partial void NoArchive(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.archive.exported", Message = "Archived {Partition} in {Location}, verified: {Rows} rows, {Bytes} bytes, in {Duration}")]
    public static partial void PartitionArchived(ILogger logger, string partition, string location, long rows, long bytes, TimeSpan duration);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.archive.failed", Message = "{Partition} has expired and stays, it could not be archived; it is tried again: {Reason}")]
    public static partial void ArchiveFailed(ILogger logger, string partition, string reason);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.maintenance.retried", Message = "Roll-ups or retention were undone and are tried again: {Reason}")]
    public static partial void MaintenanceRetried(ILogger logger, string reason);

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

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.sink.catalog",
        Message = "The header sm-catalog of {Record} is no JSON object of texts and is not stored; the aggregate is: {Reason}")]
    public static partial void CatalogUnreadable(ILogger logger, string record, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.sink.restarted",
        Message = "{Partition} was to go on at {Expected} but begins at {Found}: the topic was created anew, or records were deleted before they were archived")]
    public static partial void OffsetsReset(ILogger logger, string partition, long expected, long found);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.sink.anew",
        Message = "{Partition} was to go on at {Expected}, but its topic was created anew: it is read from its beginning")]
    public static partial void TopicAnew(ILogger logger, string partition, long expected);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.sink.kafka", Message = "Kafka: {Reason}; consuming is tried again")]
    public static partial void ConsumeFailed(ILogger logger, string reason);

    // Hot history

    [LoggerMessage(Level = LogLevel.Warning, EventName = "archiver.history.away",
        Message = "Redis is away; its history is filled from PostgreSQL when it is back: {Reason}")]
    public static partial void RedisAway(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, EventName = "archiver.history.filled", Message = "Filled the hot history from PostgreSQL: {Rows} rows")]
    public static partial void HistoryFilled(ILogger logger, long rows);
}
