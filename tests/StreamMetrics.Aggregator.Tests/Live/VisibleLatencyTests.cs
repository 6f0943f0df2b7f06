using StreamMetrics.Aggregator.Live;
using Xunit;

namespace StreamMetrics.Aggregator.Tests.Live;

public class VisibleLatencyTests
{
    readonly VisibleLatency _latency = new();

    [Fact]
    public void Nothing_written_is_no_latency() => Assert.Equal((null, false), _latency.P99());

    [Fact]
    public void Watched_series_decide_when_there_are_any()
    {
        _latency.Add(500, watched: false, 0);
        Assert.Equal(500, _latency.P99().Milliseconds!.Value, 500 * 0.01);
        Assert.False(_latency.P99().Watched);
        _latency.Add(12, watched: true, 1);
        Assert.Equal(12, _latency.P99().Milliseconds!.Value, 12 * 0.01);
        Assert.True(_latency.P99().Watched);
    }

    [Fact]
    public void What_is_older_than_ten_seconds_is_forgotten()
    {
        _latency.Add(500, watched: true, 10_000);
        _latency.Add(10, watched: true, 16_000);
        Assert.Equal(500, _latency.P99().Milliseconds!.Value, 5.0);
        _latency.Add(10, watched: true, 22_000);
        Assert.Equal(10, _latency.P99().Milliseconds!.Value, 0.1);
    }
}
