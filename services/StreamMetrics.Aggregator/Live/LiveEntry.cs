using System.Diagnostics;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Streams;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Aggregator.Live;

/// <summary>One call of <see cref="LiveScript"/>: the windows of one series, copied out of the engine.</summary>
sealed class LiveEntry
{
    static readonly RedisValue TimeToLive = (long)RedisKeys.TimeToLive.TotalSeconds;

    /// <summary>KEYS.</summary>
    public RedisKey[] Keys { get; private set; } = [];

    /// <summary>ARGV.</summary>
    public RedisValue[] Arguments { get; private set; } = [];

    /// <summary>Log time of the newest event, ms since the epoch; null when the call shows no event that was not shown before (a window that only moved).</summary>
    public long? NewestEvent { get; private set; }

    /// <summary>Whether somebody watches the series.</summary>
    public bool IsWatched { get; private set; }

    /// <summary>The producer's span of a traced event that this call is the first to show; null as a rule.</summary>
    public ActivityContext? Origin { get; private set; }

    readonly List<RedisKey> _keys = [];
    readonly List<RedisValue> _arguments = [];

    /// <summary>Begins the call of a series.</summary>
    /// <param name="series">The series.</param>
    /// <param name="keys">Its keys.</param>
    /// <param name="topicId">Id of the input topic.</param>
    /// <param name="partition">Input partition.</param>
    /// <param name="withCatalog">Whether to write the catalog's entry as well.</param>
    public void Begin(LiveSeries series, SeriesKeys keys, RedisValue topicId, int partition, bool withCatalog)
    {
        NewestEvent = series.LastSeen > keys.NewestShown ? series.LastSeen : null;
        (keys.NewestShown, IsWatched, Origin) = (series.LastSeen, series.Watched, null);
        _keys.Clear();
        _arguments.Clear();
        _keys.AddRange([RedisKeys.Incarnations, RedisKeys.Services, keys.Catalog]);
        _arguments.AddRange([
            topicId, RedisValue.EmptyString /* offset */, RedisValue.EmptyString /* as of */, TimeToLive, keys.Channel, keys.ServiceId, series.LastSeen,
            keys.CatalogField, withCatalog ? keys.CatalogJson(series.LastSeen) : RedisValue.EmptyString,
            keys.MetricName, keys.MetricType, keys.Unit, keys.Scope, keys.Tags, partition]);
    }

    /// <summary>Adds a window.</summary>
    /// <param name="keys">Keys of the series.</param>
    /// <param name="window">Its values.</param>
    public void Add(SeriesKeys keys, in LiveWindow window)
    {
        if (LiveTracing.IsToFollow(window, keys.NewestFollowed) && ExemplarTrace.TryRead(window.ExemplarJson, out var origin))
        {
            (Origin, keys.NewestFollowed) = (origin, window.ExemplarTime);
        }

        _keys.Add(keys.Window(window.Window));
        (_arguments[1], _arguments[2]) = (window.Offset, window.AsOf); // the same for all windows of a call
        _arguments.AddRange([
            window.Window, window.Start, window.End, "provisional",
            window.Count, window.Sum, window.Avg, window.Min, window.Max, window.P50, window.P95, window.P99, window.Rate, window.Last,
            window.LastTime, window.Errors, window.ExemplarJson.ToArray(), window.MaxRelativeError, 0,
            window.Sketch.ToArray(), window.Json.ToArray()]);
    }

    /// <summary>Ends the call; until the next <see cref="Begin"/> the entry is the sender's.</summary>
    public void End()
    {
        if (Keys.Length != _keys.Count) (Keys, Arguments) = (new RedisKey[_keys.Count], new RedisValue[_arguments.Count]);
        _keys.CopyTo(Keys);
        _arguments.CopyTo(Arguments);
    }
}
