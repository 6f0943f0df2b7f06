using Xunit;

namespace StreamMetrics.Contracts.Tests;

public class KafkaStatisticsTests
{
    [Fact]
    public void Latency_is_weighted_by_requests_and_rates_come_from_the_difference()
    {
        var first = KafkaStatistics.Parse(Json("producer", 1_000_000, sent: 500, received: 7, errors: 0));
        var second = KafkaStatistics.Parse(Json("producer", 3_000_000, sent: 2_500, received: 7, errors: 4)).Since(first);

        Assert.Equal(("p#producer-1", "p", true), (second.Name, second.Client, second.IsProducer));
        Assert.Equal(1_000, second.RecordsPerSecond);
        Assert.Equal(2, second.ErrorsPerSecond);
        Assert.Equal(((2.0 * 30) + (10.0 * 10)) / 40, second.LatencyMs, 9);
    }

    [Fact]
    public void A_consumer_counts_what_it_received()
    {
        var first = KafkaStatistics.Parse(Json("consumer", 1_000_000, sent: 9_000, received: 500, errors: 0));
        var second = KafkaStatistics.Parse(Json("consumer", 2_000_000, sent: 9_900, received: 800, errors: 0)).Since(first);

        Assert.Equal((false, 300), (second.IsProducer, second.RecordsPerSecond));
    }

    [Fact]
    public void A_client_that_started_again_has_no_rate_yet()
    {
        var first = KafkaStatistics.Parse(Json("consumer", 9_000_000, sent: 0, received: 5_000, errors: 3));
        var second = KafkaStatistics.Parse(Json("consumer", 1_000_000, sent: 0, received: 10, errors: 0)).Since(first);

        Assert.Equal((0, 0), (second.RecordsPerSecond, second.ErrorsPerSecond));
    }

    static string Json(string type, long ts, long sent, long received, long errors) =>
        $"{{\"type\":\"{type}\",\"name\":\"p#{type}-1\",\"client_id\":\"p\",\"ts\":{ts},\"txmsgs\":{sent},\"rxmsgs\":{received},\"brokers\":{{"
        + $"\"a\":{{\"txerrs\":{errors},\"rtt\":{{\"cnt\":30,\"avg\":2000}}}},"
        + "\"b\":{\"txerrs\":0,\"rtt\":{\"cnt\":10,\"avg\":10000}}}}";
}
