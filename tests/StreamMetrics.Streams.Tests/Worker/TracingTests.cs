using System.Diagnostics;
using System.Text;
using StreamMetrics.Streams.Worker;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

/// <summary>Spans that follow an event from its producer to the readers of its window.</summary>
public sealed class TracingTests : IDisposable
{
    const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    const string SpanId = "b7ad6b7169203331";

    readonly List<Activity> _ended = [];
    readonly ActivityListener _listener;

    public TracingTests()
    {
        _listener = new()
        {
            ShouldListenTo = source => source.Name == AggregatorMetrics.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (_ended) _ended.Add(span);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public void A_finished_window_leads_on_from_the_event_that_stands_for_it()
    {
        var commit = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);

        var context = Tracing.Send("metrics-aggregated-1m", Aggregate(TraceId, SpanId), commit);

        Assert.Equal(TraceId, context!.Value.TraceId.ToHexString());
        var span = Ended(TraceId);
        Assert.Equal(("send metrics-aggregated-1m", ActivityKind.Producer, SpanId), (span.OperationName, span.Kind, span.ParentSpanId.ToHexString()));
        Assert.Equal(commit, Assert.Single(span.Links).Context);
        Assert.Equal("kafka", span.GetTagItem("messaging.system"));
        Assert.Equal("metrics-aggregated-1m", span.GetTagItem("messaging.destination.name"));
        Assert.Equal($"00-{TraceId}-{span.SpanId.ToHexString()}-01", Encoding.ASCII.GetString(Tracing.TraceParent(context.Value)));
        Assert.Null(Activity.Current);
    }

    [Theory]
    [InlineData("abc123", "def456")]
    [InlineData("0AF7651916CD43DD8448EB211C80319C", SpanId)]
    [InlineData("00000000000000000000000000000000", SpanId)]
    [InlineData(TraceId, "0000000000000000")]
    [InlineData(TraceId, "b7ad6b716920333")]
    [InlineData(TraceId, "b7ad6b71692033311")]
    public void Ids_that_are_none_of_W3C_lead_nowhere(string traceId, string spanId) =>
        Assert.Null(Tracing.Send("metrics-aggregated-1m", Aggregate(traceId, spanId), commit: null));

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"exemplar\":{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\"")]
    [InlineData("{\"exemplar\":{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"spanId\":\"b7ad6b7169203331")]
    public void An_aggregate_without_a_whole_exemplar_leads_nowhere(string json) =>
        Assert.Null(Tracing.Send("metrics-aggregated-1m", Encoding.UTF8.GetBytes(json), commit: null));

    [Fact]
    public void A_commit_belongs_to_the_first_event_and_links_to_the_others()
    {
        ActivityContext Producer() => new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, isRemote: true);
        var events = new[] { Tracing.StartProcess(2, Producer())!, Tracing.StartProcess(2, Producer())! };

        using var commit = Tracing.StartCommit(2, events)!;

        Assert.Equal(events[0].TraceId, commit.TraceId);
        Assert.Equal(events[0].SpanId, commit.ParentSpanId);
        Assert.Equal(events[1].Context, Assert.Single(commit.Links).Context);
        Assert.Equal((ActivityKind.Consumer, 2), (events[0].Kind, events[0].GetTagItem("messaging.destination.partition.id")));
        foreach (var span in events) span.Dispose();
    }

    Activity Ended(string traceId)
    {
        lock (_ended) return _ended.Single(s => s.TraceId.ToHexString() == traceId);
    }

    static byte[] Aggregate(string traceId, string spanId) =>
        Encoding.UTF8.GetBytes($"{{\"serviceId\":\"a\",\"errors\":0,\"exemplar\":{{\"traceId\":\"{traceId}\",\"spanId\":\"{spanId}\",\"value\":1,\"time\":2}},\"late\":0}}");
}
