using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// Takes provisional values out of the engines to where they are looked at. Called on a worker's thread between batches: nothing here may
/// wait. Several workers call at the same time, each for its own partitions.
/// </summary>
public interface ILiveLane
{
    /// <summary>Called after every batch and at least every 10 ms while nothing comes.</summary>
    /// <param name="engine">Engine of a running partition; not to be kept.</param>
    void Turn(PartitionEngine engine);

    /// <summary>Called about once a second per running partition.</summary>
    /// <param name="status">Its state; <see cref="PartitionStatus.VisibleP99Ms"/> is for the lane to fill in.</param>
    void Report(PartitionStatus status);

    /// <summary>The partition is not ours any more, or starts again with a new engine.</summary>
    /// <param name="partition">Input partition.</param>
    void Forget(int partition);
}
