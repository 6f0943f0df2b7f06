using System.Collections.Concurrent;
using StreamMetrics.Streams;

namespace StreamMetrics.Aggregator.Live;

/// <summary>
/// The owner's side of the live lane for one engine: copies dirty series into a buffer when one is free. While Redis is slow or away none is
/// free, the series stay dirty, and what piles up is one state per series, never a queue.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="shared">What all lanes share.</param>
sealed class PartitionLane(PartitionEngine engine, LiveShared shared) : ILiveOutput
{
    /// <summary>Buffers of a lane: one at the sender, one to fill meanwhile.</summary>
    const int Buffers = 2;

    /// <summary>Most series of one snapshot: about 2 ms of the owner's time.</summary>
    const int MaxSeries = 64;

    /// <summary>Most series of one snapshot that nobody watches: the watched ones of the same snapshot wait until Redis has taken them, too.</summary>
    const int MaxUnwatched = 24;

    /// <summary>Shortest time between two snapshots.</summary>
    const long TurnMs = 5;

    /// <summary>Shortest time between two looks at the series nobody watches: looking at all that are dirty costs something, too.</summary>
    const long UnwatchedTurnMs = 20;

    /// <summary>The catalog's "last seen" of a series is at most so old.</summary>
    const long CatalogMs = 10_000;

    readonly ConcurrentQueue<LiveBuffer> _free = new();
    LiveBuffer? _filling;
    long _now;
    long _lastTurn = long.MinValue / 2;
    long _lastUnwatched = long.MinValue / 2;
    int _made;
    int _interestVersion = -1;
    int _epoch = shared.Epoch;
    HashSet<SeriesName> _watched = [];

    /// <summary>The engine.</summary>
    public PartitionEngine Engine { get; } = engine;

    /// <summary>Latencies of this partition's values.</summary>
    public VisibleLatency Latency { get; } = new();

    /// <summary>Takes a snapshot if it is time and a buffer is free.</summary>
    public void Turn()
    {
        _now = shared.Milliseconds;
        if (_now - _lastTurn < TurnMs || !TryRent()) return;
        _lastTurn = _now;
        FollowInterest();
        FollowEpoch();
        var written = _watched.Count > 0 ? Engine.WriteLive(this, LiveLane.Watched, MaxSeries) : 0;
        if (written < MaxSeries && _now - _lastUnwatched >= UnwatchedTurnMs)
        {
            _lastUnwatched = _now;
            Engine.WriteLive(this, LiveLane.Unwatched, Math.Min(MaxUnwatched, MaxSeries - written));
        }

        if (_filling!.Count == 0) return;
        shared.Queue.TryWrite(_filling);
        _filling = null;
    }

    /// <summary>Takes a buffer back; the sender's thread.</summary>
    /// <param name="buffer">The buffer.</param>
    public void Return(LiveBuffer buffer)
    {
        buffer.Clear();
        _free.Enqueue(buffer);
    }

    /// <inheritdoc/>
    public LiveDecision Decide(LiveSeries series)
    {
        var age = _now - series.WrittenAt;
        if (age < (series.Watched ? shared.WatchedIntervalMs : shared.IntervalMs)) return LiveDecision.Later;
        if (!shared.Budget.TryTake(series.Watched)) return LiveDecision.Stop;
        if (series.WrittenAt != 0) shared.Metrics.LiveInterval(TimeSpan.FromMilliseconds(age), series.Watched);
        var keys = (SeriesKeys)(series.Companion ??= new SeriesKeys(series));
        var withCatalog = keys.CatalogWritten.Epoch != _epoch || _now - keys.CatalogWritten.Time >= CatalogMs;
        if (withCatalog) keys.CatalogWritten = (_now, _epoch);
        series.WrittenAt = _now;
        _filling!.Next().Begin(series, keys, shared.TopicId!, Engine.Partition, withCatalog);
        return LiveDecision.Write;
    }

    /// <inheritdoc/>
    public void Window(LiveSeries series, in LiveWindow window) =>
        _filling![_filling.Count - 1].Add((SeriesKeys)series.Companion!, window);

    /// <inheritdoc/>
    public void Complete(LiveSeries series) => _filling![_filling.Count - 1].End();

    bool TryRent()
    {
        if (_filling is not null || _free.TryDequeue(out _filling)) return true;
        if (_made == Buffers) return false;
        _made++;
        _filling = new(this);
        return true;
    }

    /// <summary>
    /// Marks what is watched. The set is looked up again whenever it was read, changed or not: a watched series may have appeared since.
    /// </summary>
    void FollowInterest()
    {
        var interest = shared.Interest;
        if (interest.Version == _interestVersion) return;
        _interestVersion = interest.Version;
        foreach (var name in _watched)
        {
            if (!interest.Names.Contains(name)) Mark(name, false);
        }

        foreach (var name in interest.Names) Mark(name, true);
        _watched = interest.Names;
    }

    void Mark(SeriesName name, bool watched)
    {
        if (Engine.Find(name.ServiceId, name.MetricName, name.TagsHash) is { } series) series.Watched = watched;
    }

    /// <summary>Redis came back empty: everything is written again.</summary>
    void FollowEpoch()
    {
        if (shared.Epoch == _epoch) return;
        _epoch = shared.Epoch;
        Engine.RefreshLive();
    }
}
