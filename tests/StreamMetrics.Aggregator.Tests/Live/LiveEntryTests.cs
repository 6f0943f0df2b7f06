using System.Diagnostics;
using System.Text;
using StreamMetrics.Aggregator.Live;
using StreamMetrics.Streams;
using StreamMetrics.Streams.Worker;
using Xunit;

namespace StreamMetrics.Aggregator.Tests.Live;

public class LiveEntryTests
{
    const long Start = 1_800_000_000_000; // the beginning of a minute
    const string Event = """
        {"eventId":"00000000-0000-4000-8000-000000000001","timestamp":1800000001000,"serviceId":"a","metricType":"GAUGE","metricName":"m","value":1,"unit":"1"}
        """;

    const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    const string SpanId = "b7ad6b7169203331";

    readonly PartitionEngine _engine = new(0, new());

    [Fact]
    public void A_window_that_only_moved_on_shows_no_new_event()
    {
        _engine.Process(new() { Offset = 0, LogTime = Start + 1_000, Value = Encoding.UTF8.GetBytes(Event) });
        Assert.All(Write(), entry => Assert.Equal(Start + 1_000, entry.NewestEvent));

        // Ten seconds later the sliding window has moved, and the series is written again although nothing came.
        _engine.Process(new() { Offset = 1, LogTime = Start + 11_000, IsClock = true });
        var moved = Write();
        Assert.NotEmpty(moved);
        Assert.All(moved, entry => Assert.Null(entry.NewestEvent));
    }

    [Fact]
    public void The_first_call_that_shows_a_traced_event_leads_on_from_it_and_no_other()
    {
        using var listener = Listen();
        _engine.Process(new() { Offset = 0, LogTime = Start + 1_000, Value = Encoding.UTF8.GetBytes(Event) });
        Assert.All(Write(), entry => Assert.Null(entry.Origin));

        _engine.Process(new() { Offset = 1, LogTime = Start + 2_000, Value = Traced(Start + 2_000, 9) });
        var first = Write();
        Assert.Equal(2, first.Count); // the series and the total
        Assert.All(first, entry => Assert.Equal((TraceId, SpanId), (entry.Origin?.TraceId.ToHexString(), entry.Origin?.SpanId.ToHexString())));

        // The same exemplar stands for the window still, but its event has been shown.
        _engine.Process(new() { Offset = 2, LogTime = Start + 3_000, Value = Encoding.UTF8.GetBytes(Event) });
        Assert.All(Write(), entry => Assert.Null(entry.Origin));
    }

    [Theory]
    [InlineData(ActivityStatusCode.Unset, null)]
    [InlineData(ActivityStatusCode.Error, "no answer")]
    public void A_call_that_shows_a_traced_event_has_a_span_in_its_trace(ActivityStatusCode code, string? problem)
    {
        var trace = ActivityTraceId.CreateRandom().ToHexString(); // other tests listen to the same source
        var ended = new List<Activity>();
        using var listener = Listen(span =>
        {
            if (span.TraceId.ToHexString() == trace) ended.Add(span);
        });
        _engine.Process(new() { Offset = 0, LogTime = Start + 1_000, Value = Encoding.UTF8.GetBytes(Event.Replace("\"m\"", "\"other\"", StringComparison.Ordinal)) });
        _engine.Process(new() { Offset = 1, LogTime = Start + 2_000, Value = Traced(Start + 2_000, 9, trace) });
        var output = new Entries();
        _engine.WriteLive(output, LiveLane.Unwatched, int.MaxValue);
        Assert.Equal(4, output.Buffer.Count); // series and total of both metrics

        var tracing = new LiveTracing();
        tracing.Started([output.Buffer]);
        Assert.Null(Activity.Current);
        tracing.Ended(code, problem);

        Assert.Equal(2, ended.Count);
        Assert.All(ended, span =>
        {
            Assert.Equal((ActivityKind.Client, SpanId), (span.Kind, span.ParentSpanId.ToHexString()));
            Assert.Equal(("redis", "EVALSHA"), (span.GetTagItem("db.system.name"), span.GetTagItem("db.operation.name")));
            Assert.Equal((code, problem), (span.Status, span.StatusDescription));
        });
    }

    [Fact]
    public void An_old_event_that_stands_for_the_window_again_is_not_followed_anew()
    {
        using var listener = Listen();
        _engine.Process(new() { Offset = 0, LogTime = Start + 9_000, Value = Traced(Start + 2_000, 9) });

        Assert.All(Write(), entry => Assert.Null(entry.Origin));
    }

    static ActivityListener Listen(Action<Activity>? stopped = null)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == AggregatorMetrics.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = stopped,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    static byte[] Traced(long timestamp, double value, string traceId = TraceId) => Encoding.UTF8.GetBytes(FormattableString.Invariant($$$"""
        {"eventId":"00000000-0000-4000-8000-000000000002","timestamp":{{{timestamp}}},"serviceId":"a","metricType":"GAUGE","metricName":"m","value":{{{value}}},"unit":"1","metadata":{"traceId":"{{{traceId}}}","spanId":"{{{SpanId}}}"}}
        """));

    List<LiveEntry> Write()
    {
        var output = new Entries();
        _engine.WriteLive(output, LiveLane.Unwatched, int.MaxValue);
        return output.Written;
    }

    sealed class Entries : ILiveOutput
    {
        public List<LiveEntry> Written { get; } = [];

        public LiveBuffer Buffer { get; } = new(null!); // nobody gives it back to its lane

        public LiveDecision Decide(LiveSeries series)
        {
            var keys = (SeriesKeys)(series.Companion ??= new SeriesKeys(series));
            var entry = Buffer.Next();
            entry.Begin(series, keys, "topic", 0, withCatalog: false);
            Written.Add(entry);
            return LiveDecision.Write;
        }

        public void Window(LiveSeries series, in LiveWindow window) => Written[^1].Add((SeriesKeys)series.Companion!, window);

        public void Complete(LiveSeries series)
        {
        }
    }
}
