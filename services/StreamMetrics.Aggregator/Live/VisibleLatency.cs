using StreamMetrics.Sketches;

namespace StreamMetrics.Aggregator.Live;

/// <summary>
/// p99 of the time from an event's log time to its value in Redis, over the last 5 to 10 seconds; of watched series when there are any, since
/// the others are held back on purpose. Written by the sender, read by anyone.
/// </summary>
sealed class VisibleLatency
{
    const long SpanMs = 5_000;

    readonly Lock _lock = new();
    Pair _before = new();
    Pair _now = new();
    long _began;

    /// <summary>Adds a value that has become visible.</summary>
    /// <param name="milliseconds">Its latency.</param>
    /// <param name="watched">Whether somebody watches the series.</param>
    /// <param name="time">Time of any clock, ms.</param>
    public void Add(double milliseconds, bool watched, long time)
    {
        lock (_lock)
        {
            if (time - _began >= SpanMs) (_before, _now, _began) = (_now, new(), time);
            (watched ? _now.Watched : _now.Others).Add(Math.Max(0, milliseconds));
        }
    }

    /// <summary>The 99th percentile, ms, null when nothing was written; and whether it is that of watched series.</summary>
    public (double? Milliseconds, bool Watched) P99()
    {
        lock (_lock)
        {
            return P99(_before.Watched, _now.Watched) is { } watched ? (watched, true) : (P99(_before.Others, _now.Others), false);
        }
    }

    static double? P99(ExponentialHistogram a, ExponentialHistogram b)
    {
        if (a.Count + b.Count == 0) return null;
        var both = new ExponentialHistogram();
        both.MergeFrom(a);
        both.MergeFrom(b);
        return Math.Round(both.Quantile(0.99), 1);
    }

    sealed class Pair
    {
        public ExponentialHistogram Watched { get; } = new();

        public ExponentialHistogram Others { get; } = new();
    }
}
