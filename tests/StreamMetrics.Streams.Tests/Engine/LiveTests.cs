using System.Text;
using StreamMetrics.Contracts;
using StreamMetrics.Sketches;
using Xunit;

namespace StreamMetrics.Streams.Tests.Engine;

public class LiveTests
{
    const long Start = TestLog.Start;

    readonly EngineDriver _driver = new();

    [Fact]
    public void Dirty_series_are_written_once_with_their_sliding_and_open_windows()
    {
        _driver.Feed(new(Start + 1000, 10) { TraceId = "t" }, Start + 1000);
        _driver.Feed(new(Start + 12_000, 30), Start + 12_000);
        var output = new LiveOutput();
        Assert.Equal(2, _driver.Engine.WriteLive(output, LiveLane.Unwatched, 100));
        Assert.Equal(0, _driver.Engine.WriteLive(output, LiveLane.Unwatched, 100));
        Assert.Equal(2, output.Completed);

        var windows = output.Windows.Where(w => w.Series.Scope == AggregateScope.Series).ToList();
        Assert.Equal(["1m-10s", "1m", "5m", "15m"], windows.Select(w => w.Window));
        Assert.Equal((Start - 40_000, Start + 20_000), (windows[0].Start, windows[0].End));
        Assert.Equal((Start, Start + 60_000), (windows[1].Start, windows[1].End));
        foreach (var window in windows)
        {
            Assert.Equal((2, 40.0, 10.0, 30.0, Start + 12_000, 1), (window.Count, window.Sum, window.Min, window.Max, window.AsOf, window.Offset));
            var parsed = EngineDriver.Parse(window.Json);
            Assert.Equal((AggregateKind.Provisional, 2, 40.0, window.Window, window.Start, 1), (parsed.Kind, parsed.Count, parsed.Sum, parsed.Window, parsed.Start, parsed.AsOfOffset));
            Assert.Null(parsed.Sketch);
            Assert.Equal("{\"traceId\":\"t\",\"value\":10,\"time\":" + (Start + 1000) + "}", window.Exemplar);
            var sketch = new ExponentialHistogram();
            sketch.Add(10);
            sketch.Add(30);
            Assert.Equal(sketch.ToArray(), window.Sketch);
        }
    }

    [Fact]
    public void A_sliding_window_moves_with_log_time_and_ends_empty()
    {
        _driver.Feed(new(Start + 1000, 10), Start + 1000);
        Assert.Equal((Start - 50_000, 1L), Sliding());
        for (var pane = 1; pane < 6; pane++)
        {
            _driver.Clock(Start + pane * 10_000);
            Assert.Equal((Start - 50_000 + pane * 10_000, 1L), Sliding());
        }

        _driver.Clock(Start + 60_000);
        Assert.Equal((Start + 10_000, 0L), Sliding());
        _driver.Clock(Start + 70_000);
        Assert.Null(Sliding());
    }

    [Fact]
    public void A_late_event_is_in_the_sliding_windows_that_are_open()
    {
        _driver.Feed(new(Start + 1000, 10), Start + 1000);
        _driver.Clock(Start + 30_000);
        _driver.Feed(new(Start + 2000, 20), Start + 30_001);
        _driver.Commit();
        _driver.Crash();
        _driver.Feed(new(Start + 3000, 30), Start + 30_002);
        Assert.Equal((Start - 20_000, 3L), Sliding());
    }

    [Fact]
    public void Live_values_are_those_of_the_final_window()
    {
        var log = TestLog.Make(9, 400);
        var output = new LiveOutput();
        foreach (var record in log.Records)
        {
            if (record.Offset % 7 == 0) _driver.Engine.WriteLive(output, LiveLane.Unwatched, 3);
            _driver.Feed(record);
        }

        _driver.Commit();
        var reference = new EngineDriver();
        foreach (var record in log.Records) reference.Feed(record);
        reference.Commit();
        // Looking changes nothing.
        Assert.Equal(reference.Aggregates.Select(a => Convert.ToHexString(a.Json)), _driver.Aggregates.Select(a => Convert.ToHexString(a.Json)));
        var finals = _driver.Parsed.Where(a => a.Kind == AggregateKind.Final).ToDictionary(WindowKey.Of, a => a.Count);
        foreach (var window in output.Windows.Where(w => w.Window != "1m-10s").Select(w => EngineDriver.Parse(w.Json)))
        {
            if (finals.TryGetValue(WindowKey.Of(window), out var count)) Assert.InRange(window.Count, 1, count);
        }

        Assert.NotEmpty(output.Windows);
    }

    [Fact]
    public void Watched_series_have_their_own_lane()
    {
        _driver.Feed(new(Start, 1), Start);
        _driver.Feed(new(Start, 1) { ServiceId = "other" }, Start);
        var watched = _driver.Engine.Find("other", "api.request.duration", "")!;
        Assert.Equal(AggregateScope.Total, watched.Scope);
        watched.Watched = true;
        var output = new LiveOutput();
        Assert.Equal(0, _driver.Engine.WriteLive(output, LiveLane.Watched, 100));
        Assert.Equal(3, _driver.Engine.WriteLive(output, LiveLane.Unwatched, 100));
        Assert.Equal(1, _driver.Engine.WriteLive(output, LiveLane.Watched, 100));
        _driver.Feed(new(Start, 1) { ServiceId = "other" }, Start + 5);
        Assert.Equal((1, 1), (_driver.Engine.DirtySeries(LiveLane.Watched), _driver.Engine.DirtySeries(LiveLane.Unwatched)));
        Assert.Equal(Start + 5, watched.LastSeen);
    }

    [Fact]
    public void The_owner_decides_what_is_written_and_when_to_stop()
    {
        for (var i = 0; i < 5; i++) _driver.Feed(new(Start, 1) { ServiceId = $"s{i}" }, Start);
        var output = new LiveOutput { Decision = s => s.ServiceId == "s1" ? LiveDecision.Later : s.ServiceId == "s3" ? LiveDecision.Stop : LiveDecision.Write };
        Assert.Equal(4, _driver.Engine.WriteLive(output, LiveLane.Unwatched, 100));
        Assert.Equal(["s0", "s0", "s2", "s2"], output.Windows.Where(w => w.Window == "1m").Select(w => w.Series.ServiceId));
        Assert.Equal(6, _driver.Engine.DirtySeries(LiveLane.Unwatched));
        output.Decision = _ => LiveDecision.Write;
        Assert.Equal(2, _driver.Engine.WriteLive(output, LiveLane.Unwatched, 2));
    }

    [Fact]
    public void A_series_that_takes_the_id_of_a_forgotten_one_is_written()
    {
        _driver.Feed(new(Start, 1) { ServiceId = "old" }, Start);
        _driver.Clock(Start + 3_000_000);
        _driver.Feed(new(Start + 3_000_000, 1) { ServiceId = "new" }, Start + 3_000_000);
        var output = new LiveOutput();
        while (_driver.Engine.WriteLive(output, LiveLane.Unwatched, 100) > 0)
        {
        }

        Assert.Contains(output.Windows, w => w.Series.ServiceId == "new" && w.Window == "15m");
        Assert.DoesNotContain(output.Windows, w => w.Series.ServiceId == "old" && w.Window != "1m-10s");
    }

    (long Start, long Count)? Sliding()
    {
        var output = new LiveOutput();
        _driver.Engine.WriteLive(output, LiveLane.Unwatched, 100);
        var window = output.Windows.Find(w => w.Window == "1m-10s" && w.Series.Scope == AggregateScope.Series);
        return window == null ? null : (window.Start, window.Count);
    }

    sealed record Written(LiveSeries Series, string Window, long Start, long End, long Count, double Sum, double Min, double Max, long AsOf, long Offset, string Exemplar, byte[] Sketch, byte[] Json);

    sealed class LiveOutput : ILiveOutput
    {
        public List<Written> Windows { get; } = [];

        public int Completed { get; private set; }

        public Func<LiveSeries, LiveDecision> Decision { get; set; } = _ => LiveDecision.Write;

        public LiveDecision Decide(LiveSeries series) => Decision(series);

        public void Window(LiveSeries series, in LiveWindow window) => Windows.Add(new(
            series, window.Window, window.Start, window.End, window.Count, window.Sum, window.Min, window.Max, window.AsOf, window.Offset,
            Encoding.UTF8.GetString(window.ExemplarJson), window.Sketch.ToArray(), window.Json.ToArray()));

        public void Complete(LiveSeries series) => Completed++;
    }
}
