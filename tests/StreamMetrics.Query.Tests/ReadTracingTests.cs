using System.Diagnostics;
using StreamMetrics.Contracts;

namespace StreamMetrics.Query.Tests;

/// <summary>A question joins the trace of the event that stands for its answer.</summary>
public sealed class ReadTracingTests : IDisposable
{
    const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const string SpanId = "00f067aa0ba902b7";

    readonly ActivitySource _requests = new("requests-of-ReadTracingTests");
    readonly List<Activity> _ended = [];
    readonly ActivityListener _listener;

    public ReadTracingTests()
    {
        _listener = new()
        {
            ShouldListenTo = source => source == _requests || source.Name == QueryMetrics.MeterName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (_ended) _ended.Add(span);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _requests.Dispose();
    }

    [Fact]
    public void The_request_links_to_the_event_and_the_events_trace_says_who_read_it()
    {
        using var request = _requests.StartActivity("GET")!;

        ReadTracing.Answered(new Exemplar(TraceId, SpanId, 1, 2));

        Assert.Equal(TraceId, Assert.Single(request.Links).Context.TraceId.ToHexString());
        Assert.Same(request, Activity.Current);
        lock (_ended)
        {
            var read = Assert.Single(_ended, s => s.OperationName == "read aggregate" && s.TraceId.ToHexString() == TraceId);
            Assert.Equal(SpanId, read.ParentSpanId.ToHexString());
            Assert.Equal(request.Context, Assert.Single(read.Links).Context);
        }
    }

    [Theory]
    [InlineData("abc123", "def456")]
    [InlineData(TraceId, null)]
    [InlineData("00000000000000000000000000000000", SpanId)]
    [InlineData(TraceId, "0000000000000000")]
    [InlineData("4bf92f3577b34da6a3ce929d0e0e473g", SpanId)]
    public void Ids_that_are_none_of_W3C_are_no_trace(string traceId, string? spanId)
    {
        using var request = _requests.StartActivity("GET")!;

        ReadTracing.Answered(new Exemplar(traceId, spanId, 1, 2));

        Assert.Empty(request.Links);
    }
}
