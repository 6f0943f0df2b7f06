using System.Threading.Channels;
using Microsoft.Extensions.Options;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Aggregator.Live;

/// <summary>What owner threads and sender share.</summary>
/// <param name="options">Options.</param>
/// <param name="metrics">Metrics.</param>
/// <param name="time">Clock.</param>
sealed class LiveShared(IOptions<LiveLaneOptions> options, AggregatorMetrics metrics, TimeProvider time)
{
    // Bounded by the lanes' buffers.
    readonly Channel<LiveBuffer> _queue = Channel.CreateUnbounded<LiveBuffer>(new() { SingleReader = true });
    readonly long _start = time.GetTimestamp();
    volatile Interest _interest = Interest.None;
    volatile string? _topicId;
    int _epoch;

    /// <summary>Metrics.</summary>
    public AggregatorMetrics Metrics { get; } = metrics;

    /// <summary>Script calls that are allowed.</summary>
    public CallBudget Budget { get; } = new(options.Value.MaxCallsPerSecond, time);

    /// <summary>Shortest time between two writes of a watched series.</summary>
    public long WatchedIntervalMs { get; } = (long)options.Value.WatchedInterval.TotalMilliseconds;

    /// <summary>Shortest time between two writes of any other series.</summary>
    public long IntervalMs { get; } = (long)options.Value.Interval.TotalMilliseconds;

    /// <summary>Filled buffers, to the sender.</summary>
    public ChannelWriter<LiveBuffer> Queue => _queue.Writer;

    /// <summary>Filled buffers, at the sender.</summary>
    public ChannelReader<LiveBuffer> Filled => _queue.Reader;

    /// <summary>Milliseconds of a clock that only rises; never near 0.</summary>
    public long Milliseconds => 1_000_000 + (long)time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>What is watched.</summary>
    public Interest Interest
    {
        get => _interest;
        set => _interest = value;
    }

    /// <summary>Id of the input topic; null until Kafka has told it, and nothing is written before.</summary>
    public string? TopicId
    {
        get => _topicId;
        set => _topicId = value;
    }

    /// <summary>Rises when Redis came back without what was in it.</summary>
    public int Epoch => Volatile.Read(ref _epoch);

    /// <summary>Says that Redis has lost what was in it.</summary>
    public void NewEpoch() => Interlocked.Increment(ref _epoch);
}
