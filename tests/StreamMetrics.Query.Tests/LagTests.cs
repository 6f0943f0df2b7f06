using System.Text.Json;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests;

[Collection(KafkaCollection.Name)]
public sealed class LagTests(KafkaServer kafka, Servers servers)
{
    [RealKafkaFact]
    public async Task Lag_is_what_is_in_the_topic_and_not_committed_with_an_owner_and_without_one()
    {
        // Partitions that no other test of the collection writes to: what they send has keys that lead to the last two.
        using (var producer = kafka.Kafka.CreateProducer())
        {
            for (var i = 0; i < 10; i++) await producer.ProduceAsync(new TopicPartition(Topics.Events, 2), new() { Value = [1] });
            for (var i = 0; i < 7; i++) await producer.ProduceAsync(new TopicPartition(Topics.Events, 1), new() { Value = [1] });
        }

        await using var query = await QueryHost.StartAsync(servers, null, ("ConnectionStrings:kafka", kafka.Kafka.BootstrapServers), ("Query:PollInterval", "00:00:00.100"));
        await Eventually.AssertAsync("nothing is committed", async () => Assert.Equal((10, 7), await LagAsync(query)));

        Commit(new TopicPartitionOffset(Topics.Events, 2, 4));
        await Eventually.AssertAsync("the group has committed 4 of one partition", async () => Assert.Equal((6, 7), await LagAsync(query)));

        // the owner's word is newer than the group's offset
        await servers.Hot.PipelineAsync(new()
        {
            Partition = 2, Owner = "a", Time = 1, Position = 9, Committed = 9, Watermark = 1, OpenWindows = 0, Series = 0, Events = 9, Aggregates = 0, DeadLetters = 0, Late = 0, CommitMs = 1,
        });
        await Eventually.AssertAsync("the owner has committed 9", async () => Assert.Equal((1, 7), await LagAsync(query)));
    }

    [RealKafkaFact]
    public async Task The_service_sends_the_durations_of_its_requests_but_not_of_health_checks()
    {
        // a process of its own: meters are shared by everything in one
        await using var query = ServiceProcess.Start("StreamMetrics.Query", new Dictionary<string, string?>
        {
            ["ConnectionStrings__kafka"] = kafka.Kafka.BootstrapServers,
            ["ConnectionStrings__redis"] = servers.Redis.ConnectionString,
            ["ConnectionStrings__streammetrics"] = servers.PostgresConnection,
        });
        await query.WaitForHealthAsync();
        await query.WaitForHealthAsync("/alive");
        using var http = new HttpClient { BaseAddress = query.Address };
        foreach (var path in (string[])["/api/v1/services", "/api/v1/top?limit=0"]) (await http.GetAsync(new Uri(path, UriKind.Relative))).Dispose();

        using var consumer = new ConsumerBuilder<string, string>(
            new ConsumerConfig { BootstrapServers = kafka.Kafka.BootstrapServers, GroupId = "reader", AutoOffsetReset = AutoOffsetReset.Earliest }).Build();
        consumer.Subscribe(Topics.Events);
        var requests = new List<(string? Route, string? Status)>();
        await Eventually.AssertAsync("the durations are in the topic", () =>
        {
            while (consumer.Consume(TimeSpan.FromMilliseconds(50)) is { } record)
            {
                if (record.Message.Key != "streammetrics-query") continue;
                var json = JsonDocument.Parse(record.Message.Value).RootElement;
                if (json.GetProperty("metricName").GetString() != "http.server.request.duration") continue;
                Assert.Equal(MetricTypes.HttpRequest, json.GetProperty("metricType").GetString());
                var tags = json.GetProperty("tags");
                requests.Add((tags.GetProperty("http.route").GetString(), tags.GetProperty("http.response.status_code").GetString()));
            }

            Assert.Equal([("/api/v1/services/", "200"), ("/api/v1/top", "400")], requests.Order());
        });
    }

    static async Task<(long, long)> LagAsync(QueryHost query)
    {
        var answer = await query.GetAsync("/api/v1/pipeline");
        Assert.Equal("up", answer.GetProperty("dependencies").GetProperty("kafka").GetString());
        Assert.Equal(Enumerable.Range(0, 6).Sum(Of), answer.GetProperty("lag").GetInt64());
        return (Of(2), Of(1));

        long Of(int partition) => answer.GetProperty("partitions")[partition].GetProperty("lag").GetInt64();
    }

    void Commit(TopicPartitionOffset offset)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = kafka.Kafka.BootstrapServers, GroupId = Topics.ProcessorGroup })
            .SetLogHandler((_, _) => { }).Build();
        consumer.Assign(offset);
        consumer.Commit([offset]);
    }
}
