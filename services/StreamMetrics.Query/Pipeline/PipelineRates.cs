using StreamMetrics.Contracts;

namespace StreamMetrics.Query.Pipeline;

/// <summary>
/// Makes totals and rates of the counters in <see cref="PartitionStatus"/>, which start from zero whenever a partition changes its owner:
/// only what each counter gained is added up.
/// </summary>
/// <param name="span">What the rate of events is taken over.</param>
sealed class PipelineRates(TimeSpan span)
{
    /// <summary>Aggregates come in bursts, when windows end: their rate is taken over the shortest window.</summary>
    static readonly TimeSpan AggregateSpan = TimeSpan.FromMinutes(1);

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
        while (_history.Count > 2 && time - _history.Peek().Time > AggregateSpan.TotalMilliseconds) _history.Dequeue();
        EventsPerSecond = Rate(time, span, totals => totals.Events);
        AggregatesPerSecond = Rate(time, AggregateSpan, totals => totals.Aggregates);
    }

    double Rate(long time, TimeSpan over, Func<Counters, long> counter)
    {
        var (since, before) = _history.FirstOrDefault(h => h.Time < time && time - h.Time <= over.TotalMilliseconds, _history.Peek());
        return time > since ? (counter(_totals) - counter(before)) * 1000.0 / (time - since) : 0;
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
