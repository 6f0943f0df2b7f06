using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Tests.Engine;

/// <summary>
/// The semantics of the engine, written down as simply as possible: no panes, no sketches, every value is kept. What final windows and
/// what corrections hold.
/// </summary>
sealed class Reference(EngineOptions options)
{
    static readonly (string Name, long Size)[] Windows = [("1m", 60_000), ("5m", 300_000), ("15m", 900_000)];

    readonly HashSet<ReplayOrigin> _replays = [];
    readonly long _grace = (long)options.Grace.TotalMilliseconds;

    public long Watermark { get; private set; }

    /// <summary>Events by window, those that came in time.</summary>
    public Dictionary<WindowKey, List<Sample>> InTime { get; } = [];

    /// <summary>Events by window, those that came after it was final.</summary>
    public Dictionary<WindowKey, List<Sample>> Late { get; } = [];

    public Dictionary<string, int> Rejected { get; } = [];

    public void Run(TestLog log)
    {
        foreach (var record in log.Records)
        {
            Watermark = Math.Max(Watermark, record.LogTime);
            if (log.Events.TryGetValue(record.Offset, out var e)) Add(e, record);
        }
    }

    public bool IsFinal(WindowKey key) => Watermark >= key.Start + Size(key.Window) + _grace;

    static long Size(string window) => Windows.Single(w => w.Name == window).Size;

    void Add(TestEvent e, LogRecord record)
    {
        if (Refusal(e, record) is { } reason)
        {
            Rejected[reason] = Rejected.GetValueOrDefault(reason) + 1;
            return;
        }

        var tags = string.Join(';', e.Tags.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key}={t.Value}"));
        foreach (var (name, size) in Windows)
        {
            foreach (var (scope, scopeTags) in ((AggregateScope, string)[])[(AggregateScope.Series, tags), (AggregateScope.Total, "")])
            {
                var key = new WindowKey(scope, e.ServiceId, e.MetricName, scopeTags, name, e.Time / size * size);
                var target = IsFinal(key) ? Late : InTime;
                if (!target.TryGetValue(key, out var samples)) target[key] = samples = [];
                samples.Add(new(e, record.Offset));
            }
        }
    }

    string? Refusal(TestEvent e, LogRecord record)
    {
        if (e.Time > Watermark + 60_000) return ReasonCodes.FutureTimestamp;
        if (record.Replay is { } replay) return _replays.Add(replay) ? null : "repeated";
        if (e.Time < Watermark - 7L * 86_400_000) return ReasonCodes.TooOld;
        return Watermark - e.Time > 3_600_000 ? ReasonCodes.BeyondHorizon : null;
    }
}

readonly record struct WindowKey(AggregateScope Scope, string ServiceId, string MetricName, string Tags, string Window, long Start)
{
    public static WindowKey Of(Aggregate a) => new(
        a.Scope, a.ServiceId, a.MetricName, string.Join(';', a.Tags.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key}={t.Value}")), a.Window, a.Start);
}

sealed record Sample(TestEvent Event, long Offset)
{
    public bool IsError => Event.Tags.TryGetValue("statusCode", out var status) && string.CompareOrdinal(status, "500") >= 0;
}
