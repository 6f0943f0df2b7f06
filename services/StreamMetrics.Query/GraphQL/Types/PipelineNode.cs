using HotChocolate;
using HotChocolate.CostAnalysis.Types;
using StreamMetrics.Query.Pipeline;

namespace StreamMetrics.Query.GraphQL.Types;

[GraphQLName("Partition")]
[GraphQLDescription("State of one input partition, as its owner said last; without an owner only the lag is known.")]
sealed class PartitionNode(PartitionAnswer answer)
{
    public int Partition => answer.Partition;

    [GraphQLDescription("Instance that owns it.")]
    public string? Owner => answer.Owner;

    [GraphQLDescription("When the owner said so, ms since the epoch.")]
    public long? Time => answer.Time;

    [GraphQLDescription("Next offset to process.")]
    public long? Position => answer.Position;

    [GraphQLDescription("Input offset that was committed last.")]
    public long? Committed => answer.Committed;

    [GraphQLDescription("Largest log time seen, ms since the epoch.")]
    public long? Watermark => answer.Watermark;

    [GraphQLDescription("Windows that are not final yet.")]
    public long? OpenWindows => answer.OpenWindows;

    [GraphQLDescription("Series that are alive.")]
    public long? Series => answer.Series;

    [GraphQLDescription("Events processed since the owner took the partition.")]
    public long? Events => answer.Events;

    [GraphQLDescription("Aggregates emitted since the owner took the partition.")]
    public long? Aggregates => answer.Aggregates;

    [GraphQLDescription("Events dead-lettered since the owner took the partition.")]
    public long? DeadLetters => answer.DeadLetters;

    [GraphQLDescription("Late events since the owner took the partition.")]
    public long? Late => answer.Late;

    [GraphQLDescription("Duration of the last commit, ms.")]
    public double? CommitMs => answer.CommitMs;

    [GraphQLDescription("p99 from log time of an event to its value in Redis, ms.")]
    public double? VisibleP99Ms => answer.VisibleP99Ms;

    [GraphQLDescription("Records in the partition that are not committed as processed; null while Kafka does not answer.")]
    public long? Lag => answer.Lag;
}

[GraphQLName("Dependency")]
[GraphQLDescription("Whether a server is there: 'up' or 'down' for kafka, redis and postgresql.")]
sealed record DependencyNode(string Name, string State);

[GraphQLName("Pipeline")]
[GraphQLDescription("State of the pipeline from metrics-events to the stores.")]
sealed class PipelineNode(PipelineAnswer answer)
{
    [GraphQLDescription("When this was gathered, ms since the epoch.")]
    public long Time => answer.Time;

    [Cost(0)]
    [ListSize(AssumedSize = 10)]
    public IReadOnlyList<PartitionNode> Partitions => [.. answer.Partitions.Select(p => new PartitionNode(p))];

    [GraphQLDescription("Events processed per second, over the last seconds.")]
    public double EventsPerSecond => answer.EventsPerSecond;

    [GraphQLDescription("Final windows and corrections emitted per second, over the last seconds.")]
    public double AggregatesPerSecond => answer.AggregatesPerSecond;

    [GraphQLDescription("Records that are not committed as processed, over all partitions; null while Kafka does not answer.")]
    public long? Lag => answer.Lag;

    [GraphQLDescription("Worst p99 of the partitions from log time of an event to its value in Redis, ms; null when nothing is written.")]
    public double? VisibleP99Ms => answer.VisibleP99Ms;

    [GraphQLDescription("Events dead-lettered since the partitions were taken by their owners, and since this service started.")]
    public long DeadLetters => answer.DeadLetters;

    [GraphQLDescription("Late events, counted likewise.")]
    public long Late => answer.Late;

    [Cost(0)]
    [ListSize(AssumedSize = 3)]
    public IReadOnlyList<DependencyNode> Dependencies => [.. answer.Dependencies.Select(d => new DependencyNode(d.Key, d.Value))];
}
