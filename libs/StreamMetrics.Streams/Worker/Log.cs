using Microsoft.Extensions.Logging;

namespace StreamMetrics.Streams.Worker;

static partial class Log
{
    // worker
    [LoggerMessage(Level = LogLevel.Information, EventName = "streams.worker.started", Message = "Worker {Instance} joins group {Group} ({Delivery})")]
    public static partial void WorkerStarted(ILogger logger, string instance, string group, DeliveryGuarantee delivery);

    [LoggerMessage(Level = LogLevel.Information, EventName = "streams.worker.stopped", Message = "Worker {Instance} stopped; everything committed: {Committed}")]
    public static partial void WorkerStopped(ILogger logger, string instance, bool committed);

    [LoggerMessage(Level = LogLevel.Information, EventName = "streams.worker.assigned", Message = "Worker {Instance} got partitions {Partitions}")]
    public static partial void Assigned(ILogger logger, string instance, PartitionList partitions);

    [LoggerMessage(Level = LogLevel.Information, EventName = "streams.worker.revoked", Message = "Worker {Instance} gives partitions {Partitions} back; everything committed: {Committed}")]
    public static partial void Revoked(ILogger logger, string instance, PartitionList partitions, bool committed);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "streams.worker.lost", Message = "Worker {Instance} lost partitions {Partitions}: their state since the last commit is thrown away, the next owner goes on from there")]
    public static partial void Lost(ILogger logger, string instance, PartitionList partitions);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "streams.worker.kafka", Message = "Worker {Instance}: Kafka client says {Reason} ({Code}); it keeps trying")]
    public static partial void KafkaError(ILogger logger, string instance, string code, string reason);

    // task
    [LoggerMessage(Level = LogLevel.Debug, EventName = "streams.task.moved", Message = "Task {Partition} moved {From} -> {To}")]
    public static partial void TaskMoved(ILogger logger, int partition, TaskState from, TaskState to);

    [LoggerMessage(Level = LogLevel.Information, EventName = "streams.task.restored", Message = "Task {Partition} goes on at offset {Offset}: {Records} state records restored in {Milliseconds} ms")]
    public static partial void TaskRestored(ILogger logger, int partition, long offset, long records, long milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "streams.task.failed", Message = "Task {Partition} is suspended, next: {Next}. {Reason}")]
    public static partial void TaskFailed(ILogger logger, int partition, string next, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "streams.task.record", Message = "Task {Partition}: processing the record at offset {Offset} failed, attempt {Attempt}")]
    public static partial void RecordFailed(ILogger logger, Exception error, int partition, long offset, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "streams.task.gap", Message = "Task {Partition}: offsets {From} to {To} are not in the log any more (control records, or deleted by retention)")]
    public static partial void Gap(ILogger logger, int partition, long from, long to);

    // idle clock
    [LoggerMessage(Level = LogLevel.Warning, EventName = "streams.clock.failed", Message = "Clock record for partition {Partition} was not accepted: {Reason}; it is tried again")]
    public static partial void ClockFailed(ILogger logger, int partition, string reason);
}

/// <summary>Partitions in a log line; joined only when the line is written.</summary>
readonly struct PartitionList(int[] partitions)
{
    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", partitions);
}
