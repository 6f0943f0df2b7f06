using System.ComponentModel;

namespace StreamMetrics.Query.Pipeline;

[Description("State of one input partition, as its owner said last; without an owner only the lag is known.")]
public sealed record PartitionAnswer
{
    public required int Partition { get; init; }

    [Description("Instance that owns it.")]
    public string? Owner { get; init; }

    [Description("When the owner said so, ms since the epoch.")]
    public long? Time { get; init; }

    [Description("Next offset to process.")]
    public long? Position { get; init; }

    [Description("Input offset that was committed last.")]
    public long? Committed { get; init; }

    [Description("Largest log time seen, ms since the epoch.")]
    public long? Watermark { get; init; }

    [Description("Windows that are not final yet.")]
    public long? OpenWindows { get; init; }

    [Description("Series that are alive.")]
    public long? Series { get; init; }

    [Description("Events processed since the owner took the partition.")]
    public long? Events { get; init; }

    [Description("Aggregates emitted since the owner took the partition.")]
    public long? Aggregates { get; init; }

    [Description("Events dead-lettered since the owner took the partition.")]
    public long? DeadLetters { get; init; }

    [Description("Late events since the owner took the partition.")]
    public long? Late { get; init; }

    [Description("Duration of the last commit, ms.")]
    public double? CommitMs { get; init; }

    [Description("p99 from log time of an event to its value in Redis, ms.")]
    public double? VisibleP99Ms { get; init; }

    [Description("Records in the partition that are not committed as processed; absent while Kafka does not answer.")]
    public long? Lag { get; init; }
}

[Description("State of the pipeline from metrics-events to the stores.")]
public sealed record PipelineAnswer
{
    [Description("When this was gathered, ms since the epoch.")]
    public required long Time { get; init; }

    public required IReadOnlyList<PartitionAnswer> Partitions { get; init; }

    [Description("Events processed per second, over the last seconds.")]
    public required double EventsPerSecond { get; init; }

    [Description("Final windows and corrections emitted per second, over the last seconds.")]
    public required double AggregatesPerSecond { get; init; }

    [Description("Records that are not committed as processed, over all partitions; absent while Kafka does not answer.")]
    public long? Lag { get; init; }

    [Description("Worst p99 of the partitions from log time of an event to its value in Redis, ms: of watched series when there are any, since others are held back for half a second; absent when nothing is written.")]
    public double? VisibleP99Ms { get; init; }

    [Description("Events dead-lettered since the partitions were taken by their owners, and since this service started.")]
    public required long DeadLetters { get; init; }

    [Description("Late events, counted likewise.")]
    public required long Late { get; init; }

    [Description("'up' or 'down' for kafka, redis and postgresql.")]
    public required IReadOnlyDictionary<string, string> Dependencies { get; init; }
}
