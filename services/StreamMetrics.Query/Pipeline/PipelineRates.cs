using StreamMetrics.Contracts;

namespace StreamMetrics.Query.Pipeline;

/// <summary>
/// Makes totals and rates of the counters in <see cref="PartitionStatus"/>, which start from zero whenever a partition changes its owner:
/// only what each counter gained is added up.
/// </summary>
sealed class PipelineRates(TimeSpan span)
{
    readonly Dictionary<int, PartitionStatus> _last = [];
    readonly Queue<(long Time, Counters Totals)> _history = new();
    Counters _totals;

    readonly record struct Counters(long Events, long Aggregates, long DeadLetters, long Late)
    {
        public static Counters Of(PartitionStatus s) => new(s.Events, s.Aggregates, s.DeadLetters, s.Late);

        public static Counters operator +(Counters a, Counters b) =>
            new(a.Events + b.Events, a.Aggregates + b.Aggregates, a.DeadLetters + b.DeadLetters, a.Late + b.Late);

        public static Counters operator -(Counters a, Counters b) =>
            new(a.Events - b.Events, a.Aggregates - b.Aggregates, a.DeadLetters - b.DeadLetters, a.Late - b.Late);
    }

    public double EventsPerSecond { get; private set; }

    public double AggregatesPerSecond { get; private set; }

    public long DeadLetters => _totals.DeadLetters;

    public long Late => _totals.Late;

    /// <summary>Takes what the owners say at <paramref name="time"/> (ms since the epoch).</summary>
    public void Add(long time, IReadOnlyList<PartitionStatus?> statuses)
    {
        foreach (var status in statuses)
        {
            if (status is null) continue;
            _totals += Gained(status);
            _last[status.Partition] = status;
        }

        // What was counted before the first call belongs to the totals but to no rate: it is in the first entry already.
        _history.Enqueue((time, _totals));
        while (_history.Count > 2 && time - _history.Peek().Time > span.TotalMilliseconds) _history.Dequeue();
        var (since, before) = _history.Peek();
        if (time <= since) return;
        var gained = _totals - before;
        EventsPerSecond = gained.Events * 1000.0 / (time - since);
        AggregatesPerSecond = gained.Aggregates * 1000.0 / (time - since);
    }

    Counters Gained(PartitionStatus status)
    {
        var now = Counters.Of(status);
        if (!_last.TryGetValue(status.Partition, out var last)) return now;
        // another owner, or the same one after it lost and regained the partition
        var isSameRun = last.Owner == status.Owner && status.Events >= last.Events;
        return isSameRun ? now - Counters.Of(last) : now;
    }
}
