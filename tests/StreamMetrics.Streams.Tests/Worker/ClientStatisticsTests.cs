using StreamMetrics.Streams.Worker;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

public class ClientStatisticsTests
{
    [Fact]
    public void Latency_is_weighted_by_requests_and_rates_come_from_the_difference()
    {
        var first = ClientStatistics.Parse(Json("producer", 1_000_000, 500, 0));
        var second = ClientStatistics.Parse(Json("producer", 3_000_000, 2_500, 4)).Since(first);
        Assert.True(second.IsProducer);
        Assert.Equal("p", second.Client);
        Assert.Equal(1_000, second.RecordsPerSecond);
        Assert.Equal(2, second.ErrorsPerSecond);
        Assert.Equal(((2.0 * 30) + (10.0 * 10)) / 40, second.LatencyMs, 9);
    }

    [Fact]
    public void A_client_that_started_again_has_no_rate_yet()
    {
        var first = ClientStatistics.Parse(Json("consumer", 9_000_000, 5_000, 0));
        Assert.Equal(0, ClientStatistics.Parse(Json("consumer", 1_000_000, 10, 0)).Since(first).RecordsPerSecond);
    }

    static string Json(string type, long ts, long messages, long errors) =>
        $"{{\"type\":\"{type}\",\"client_id\":\"p\",\"ts\":{ts},\"txmsgs\":{messages},\"rxmsgs\":{messages},\"brokers\":{{"
        + $"\"a\":{{\"txerrs\":{errors},\"rtt\":{{\"cnt\":30,\"avg\":2000}}}},"
        + "\"b\":{\"txerrs\":0,\"rtt\":{\"cnt\":10,\"avg\":10000}}}}";
}
