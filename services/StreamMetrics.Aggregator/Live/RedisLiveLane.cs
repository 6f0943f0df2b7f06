using System.Collections.Concurrent;
using StreamMetrics.Contracts;
using StreamMetrics.Streams;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Aggregator.Live;

/// <summary>The live lane as the workers see it: one <see cref="PartitionLane"/> per engine, and the newest status of each partition for the sender.</summary>
/// <param name="shared">What owner threads and sender share.</param>
sealed class RedisLiveLane(LiveShared shared) : ILiveLane
{
    readonly ConcurrentDictionary<int, PartitionLane> _lanes = new();
    readonly ConcurrentDictionary<int, PartitionStatus> _reports = new();

    /// <summary>Statuses that wait for the sender, by partition.</summary>
    public ConcurrentDictionary<int, PartitionStatus> Reports => _reports;

    /// <inheritdoc/>
    public void Turn(PartitionEngine engine)
    {
        if (shared.TopicId is null) return;
        if (!_lanes.TryGetValue(engine.Partition, out var lane) || lane.Engine != engine) _lanes[engine.Partition] = lane = new(engine, shared);
        lane.Turn();
    }

    /// <inheritdoc/>
    public void Report(PartitionStatus status)
    {
        var (p99, watched) = _lanes.TryGetValue(status.Partition, out var lane) ? lane.Latency.P99() : default;
        _reports[status.Partition] = status with { VisibleP99Ms = p99, VisibleWatched = watched };
    }

    /// <inheritdoc/>
    public void Forget(int partition)
    {
        _lanes.TryRemove(partition, out _);
        _reports.TryRemove(partition, out _);
    }
}
