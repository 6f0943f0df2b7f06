using System.Diagnostics;
using StreamMetrics.Streams;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Aggregator.Live;

/// <summary>
/// The spans of the live lane, by the semantic conventions for databases (https://opentelemetry.io/docs/specs/semconv/db/redis/): one per call
/// that shows a traced event for the first time, in the trace of that event. A call without one has none. One thread.
/// </summary>
sealed class LiveTracing
{
    /// <summary>Most calls of one round trip that are followed.</summary>
    const int MaxSpans = 16;

    /// <summary>
    /// An exemplar that is older was shown before: it stands for the window again because a larger value has slid out.
    /// </summary>
    const long FreshMs = 5_000;

    static readonly ActivitySource Source = new(AggregatorMetrics.SourceName);

    readonly List<Activity> _spans = [];

    /// <summary>Whether the window's exemplar is a traced event that was not shown before.</summary>
    /// <param name="window">The window.</param>
    /// <param name="newest">Event time of the newest one that was followed, ms since the epoch.</param>
    public static bool IsToFollow(in LiveWindow window, long newest) =>
        window.ExemplarTime > newest && window.AsOf - window.ExemplarTime <= FreshMs && Source.HasListeners();

    /// <summary>The calls of these buffers are on their way.</summary>
    /// <param name="buffers">The buffers.</param>
    public void Started(List<LiveBuffer> buffers)
    {
        foreach (var buffer in buffers)
        {
            for (var i = 0; i < buffer.Count && _spans.Count < MaxSpans; i++)
            {
                if (buffer[i].Origin is { } origin) Start(origin, buffer[i].Keys.Length);
            }
        }
    }

    /// <summary>All of them were answered, or one was not.</summary>
    /// <param name="code">How they ended.</param>
    /// <param name="problem">What went wrong.</param>
    public void Ended(ActivityStatusCode code, string? problem = null)
    {
        foreach (var span in _spans) span.SetStatus(code, problem).Dispose();
        _spans.Clear();
    }

    void Start(ActivityContext origin, int keys)
    {
        var span = Source.StartActivity("EVALSHA metrics", ActivityKind.Client, origin);
        Activity.Current = null; // the calls run side by side: none is a part of another
        if (span is null) return;
        span.SetTag("db.system.name", "redis").SetTag("db.operation.name", "EVALSHA").SetTag("db.query.summary", "EVALSHA metrics")
            .SetTag("streammetrics.redis.keys", keys);
        _spans.Add(span);
    }
}
