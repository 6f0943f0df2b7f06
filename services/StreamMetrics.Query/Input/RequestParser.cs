using System.Globalization;
using Microsoft.Extensions.Options;
using StreamMetrics.Query.Live;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Input;

/// <summary>Makes checked questions out of text parameters. Every limit of the service is enforced here or while reading.</summary>
sealed class RequestParser(IOptions<QueryOptions> options, TimeProvider time)
{
    // default span of a series in windows, and in time at least
    const int DefaultPoints = 60;
    const long DefaultSpanMs = 3_600_000;

    readonly QueryOptions _options = options.Value;

    public static string Service(ParameterReader p, string? serviceId)
    {
        var service = p.ServiceId(serviceId);
        p.ThrowIfInvalid();
        return service;
    }

    public static CurrentQuery Current(ParameterReader p, string? serviceId, string? metricName)
    {
        var query = new CurrentQuery(Selector(p, serviceId, metricName), p.Window(), p.Include("sketch").Count > 0);
        p.ThrowIfInvalid();
        return query;
    }

    public SeriesQuery Series(ParameterReader p, string? serviceId, string? metricName)
    {
        var selector = Selector(p, serviceId, metricName);
        var window = p.Window();
        var step = Step(p, window);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var to = p.Time("to", now);
        // rounded up by default, so that the last hour is within what Redis has
        var from = p.Time("from", Math.Min(to, RoundUp(Math.Max(0, to - Math.Max(DefaultSpanMs, DefaultPoints * step)), step)));
        var include = p.Include("provisional", "sketch");
        var aligned = from - (from % step);
        CheckSpan(p, window, from, to, (to - aligned + step - 1) / step, now);
        var query = new SeriesQuery(selector, window, aligned, to, step, p.GroupBy(_options.MaxGroupBy), p.Percentiles(_options.MaxPercentiles),
            include.Contains("provisional"), include.Contains("sketch"));
        p.ThrowIfInvalid();
        return query;
    }

    public static LiveFilter Live(ParameterReader p)
    {
        var selector = Selector(p, p.Text("serviceId"), p.Text("metricName"));
        var filter = new LiveFilter(selector, HotWindow(p));
        p.ThrowIfInvalid();
        return filter;
    }

    public TopQuery Top(ParameterReader p)
    {
        var metric = p.Text("metric") is { } name ? p.MetricName("metric", name) : null;
        var by = p.Choice("by", "rate", "p99", "rate", "errors") switch
        {
            "p99" => TopOrder.P99,
            "errors" => TopOrder.Errors,
            _ => TopOrder.Rate,
        };
        if (by == TopOrder.P99 && metric is null) p.Fail("metric", null, "must be given with by=p99: values of different metrics cannot be compared");
        var query = new TopQuery(metric, HotWindow(p), by, p.Integer("limit", Math.Min(10, _options.MaxTop), 1, _options.MaxTop));
        p.ThrowIfInvalid();
        return query;
    }

    static SeriesSelector Selector(ParameterReader p, string? serviceId, string? metricName) =>
        new(p.ServiceId(serviceId), p.MetricName("metricName", metricName), p.Tags());

    static QueryWindow HotWindow(ParameterReader p)
    {
        var window = p.Window();
        if (!window.IsHot) p.Fail("window", window.Name, "must be one of 1m-10s, 1m, 5m, 15m here");
        return window;
    }

    static long RoundUp(long time, long step) => time + step - 1 - ((time + step - 1) % step);

    static long Step(ParameterReader p, QueryWindow window)
    {
        var step = p.Duration("step", window.AdvanceMs);
        if (step % window.AdvanceMs == 0) return step;
        p.Fail("step", p.Text("step"), $"must be a multiple of {Durations.Format(window.AdvanceMs)}, on which windows {window.Name} start");
        return window.AdvanceMs;
    }

    void CheckSpan(ParameterReader p, QueryWindow window, long from, long to, long points, long now)
    {
        var given = p.Text("from");
        if (from >= to)
            p.Fail("from", given, "must be before 'to'");
        else if (to - from > (long)_options.MaxSpan.TotalMilliseconds)
            p.Fail("from", given, string.Create(CultureInfo.InvariantCulture, $"must be at most {_options.MaxSpan.TotalDays:0.##} days before 'to'"));
        else if (points > _options.MaxPoints)
            p.Fail("step", p.Text("step"), string.Create(CultureInfo.InvariantCulture, $"must give at most {_options.MaxPoints} points; this gives {points}"));
        // one step of tolerance, so that "the last hour" is no error by the time it arrives
        else if (window.IsSliding && from < now - (long)_options.HotSpan.TotalMilliseconds - window.SizeMs)
            p.Fail("from", given, $"must lie in the last {Durations.Format((long)_options.HotSpan.TotalMilliseconds)} for window {window.Name}, which is kept no longer");
    }
}
