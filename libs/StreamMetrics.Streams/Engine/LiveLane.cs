using StreamMetrics.Contracts;

namespace StreamMetrics.Streams;

/// <summary>Which dirty series <see cref="PartitionEngine.WriteLive"/> looks at.</summary>
public enum LiveLane
{
    /// <summary>Those whose <see cref="LiveSeries.Watched"/> is set.</summary>
    Watched,

    /// <summary>The others.</summary>
    Unwatched,
}

/// <summary>What is to happen with a dirty series.</summary>
public enum LiveDecision
{
    /// <summary>Write it now; it is clean afterwards.</summary>
    Write,

    /// <summary>Leave it dirty and look at the next one.</summary>
    Later,

    /// <summary>Leave it dirty and end the call.</summary>
    Stop,
}

/// <summary>
/// A series or total, as long as it is alive: the same instance from its first event until it is forgotten. Owned by the engine's thread.
/// </summary>
public abstract class LiveSeries
{
    private protected LiveSeries()
    {
    }

    /// <summary>The service.</summary>
    public required string ServiceId { get; init; }

    /// <summary>The metric.</summary>
    public required string MetricName { get; init; }

    /// <summary>Kind of metric, as in the series' first event.</summary>
    public required string MetricType { get; init; }

    /// <summary>Unit, as in the series' first event.</summary>
    public required string Unit { get; init; }

    /// <summary>One series or the total.</summary>
    public required AggregateScope Scope { get; init; }

    /// <summary>Tags; empty for a total.</summary>
    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    /// <summary>The tags as a JSON object in UTF-8, keys in ordinal order.</summary>
    public required ReadOnlyMemory<byte> TagsJson { get; init; }

    /// <summary><see cref="Contracts.TagsHash"/> of the tags; empty for a total.</summary>
    public required string TagsHash { get; init; }

    /// <summary>Log time of the first event since the series was written last, ms since the epoch.</summary>
    public long LastSeen { get; internal set; }

    /// <summary>Set by the owner for series that somebody looks at: they have their own queue.</summary>
    public bool Watched { get; set; }

    /// <summary>For the owner of the live lane: when it wrote the series last, in its own clock. The engine leaves it alone.</summary>
    public long WrittenAt { get; set; }

    /// <summary>For the owner of the live lane: anything it keeps per series (Redis keys …). The engine leaves it alone.</summary>
    public object? Companion { get; set; }
}

/// <summary>The provisional state of one window of a series at the engine's position. Spans are valid during the call only.</summary>
public readonly ref struct LiveWindow
{
    /// <summary>Name of the window size.</summary>
    public required string Window { get; init; }

    /// <summary>Start, ms since the epoch (inclusive).</summary>
    public required long Start { get; init; }

    /// <summary>End, ms since the epoch (exclusive).</summary>
    public required long End { get; init; }

    /// <summary>Always provisional; finals come through Kafka.</summary>
    public AggregateKind Kind { get; init; }

    /// <summary>Number of events, ≥ 0: a sliding window that all events have left is written once with 0 and zero values.</summary>
    public required long Count { get; init; }

    /// <summary>Compensated sum.</summary>
    public required double Sum { get; init; }

    /// <summary>Mean.</summary>
    public required double Avg { get; init; }

    /// <summary>Smallest value.</summary>
    public required double Min { get; init; }

    /// <summary>Largest value.</summary>
    public required double Max { get; init; }

    /// <summary>Median.</summary>
    public required double P50 { get; init; }

    /// <summary>95th percentile.</summary>
    public required double P95 { get; init; }

    /// <summary>99th percentile.</summary>
    public required double P99 { get; init; }

    /// <summary>Events (COUNTER: sum) per second of the window.</summary>
    public required double Rate { get; init; }

    /// <summary>Value with the largest event time.</summary>
    public required double Last { get; init; }

    /// <summary>Its event time, ms since the epoch.</summary>
    public required long LastTime { get; init; }

    /// <summary>Events marked as errors.</summary>
    public required long Errors { get; init; }

    /// <summary>JSON of <see cref="Contracts.Exemplar"/> in UTF-8; empty when there is none.</summary>
    public required ReadOnlySpan<byte> ExemplarJson { get; init; }

    /// <summary>Event time of the exemplar, ms since the epoch; 0 when there is none.</summary>
    public required long ExemplarTime { get; init; }

    /// <summary>Worst relative error of a percentile.</summary>
    public required double MaxRelativeError { get; init; }

    /// <summary>Log time of the newest record the value includes: the watermark, ms since the epoch.</summary>
    public required long AsOf { get; init; }

    /// <summary>Offset of the newest record the value includes.</summary>
    public required long Offset { get; init; }

    /// <summary>The sketch (docs/formats/sketch.md).</summary>
    public required ReadOnlySpan<byte> Sketch { get; init; }

    /// <summary>JSON of <see cref="Contracts.Aggregate"/> without the sketch, for publishing.</summary>
    public required ReadOnlySpan<byte> Json { get; init; }
}

/// <summary>Receives provisional values. Called on the engine's thread: it must not wait.</summary>
public interface ILiveOutput
{
    /// <summary>Asked per dirty series, those first that became dirty first.</summary>
    /// <param name="series">The series.</param>
    LiveDecision Decide(LiveSeries series);

    /// <summary>One window of the series that <see cref="Decide"/> said <see cref="LiveDecision.Write"/> for.</summary>
    /// <param name="series">The series.</param>
    /// <param name="window">The window's values.</param>
    void Window(LiveSeries series, in LiveWindow window);

    /// <summary>All windows of the series have been given.</summary>
    /// <param name="series">The series.</param>
    void Complete(LiveSeries series);
}
