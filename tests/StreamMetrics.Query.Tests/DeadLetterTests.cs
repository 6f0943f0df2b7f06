using System.Net;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Tests.GraphQL;
using StreamMetrics.Query.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests;

[Collection(KafkaCollection.Name)]
public sealed class DeadLetterTests(KafkaServer kafka, Servers servers)
{
    [RealKafkaFact]
    public async Task They_are_shown_newest_first_page_by_page_with_their_bytes_and_filtered()
    {
        await using var query = await StartAsync();
        var sent = await ProduceAsync("browse", 25);
        byte[] notText = [0xff, 0x00, 0xfe];
        var binary = await ProduceOneAsync("browse", notText, ReasonCodes.MalformedJson);

        var all = new List<JsonElement>();
        string? cursor = null;
        var pages = 0;
        do
        {
            var page = await query.GetAsync($"/api/v1/dead-letters?serviceId=browse&limit=10{(cursor is null ? "" : "&before=" + cursor)}");
            all.AddRange(page.GetProperty("deadLetters").EnumerateArray());
            cursor = page.TryGetProperty("next", out var next) ? next.GetString() : null;
            pages++;
        }
        while (cursor is not null && pages < 20);

        Assert.Equal(26, all.Count);
        Assert.Equal(26, all.Select(d => (d.GetProperty("partition").GetInt32(), d.GetProperty("offset").GetInt64())).Distinct().Count());
        var times = all.Select(d => d.GetProperty("time").GetInt64()).ToList();
        Assert.Equal(times.OrderDescending(), times);
        var one = all.Single(d => d.GetProperty("offset").GetInt64() == sent[7].Offset && d.GetProperty("partition").GetInt32() == sent[7].Partition);
        Assert.Equal("event 7", one.GetProperty("text").GetString());
        Assert.Equal("event 7"u8.ToArray(), one.GetProperty("base64").GetBytesFromBase64());
        Assert.Equal(ReasonCodes.InvalidField, one.GetProperty("reason").GetString());
        Assert.Equal("value: must be >= 0", one.GetProperty("message").GetString());
        Assert.Equal("metrics-events", one.GetProperty("headers").GetProperty(KafkaHeaders.Topic).GetString());
        var raw = all.Single(d => d.GetProperty("offset").GetInt64() == binary.Offset && d.GetProperty("partition").GetInt32() == binary.Partition);
        Assert.False(raw.TryGetProperty("text", out _));
        Assert.Equal(notText, raw.GetProperty("base64").GetBytesFromBase64());

        var malformed = await query.GetAsync($"/api/v1/dead-letters?serviceId=browse&reason={ReasonCodes.MalformedJson}");
        Assert.Equal(3, Assert.Single(malformed.GetProperty("deadLetters").EnumerateArray()).GetProperty("size").GetInt32());
        Assert.Empty((await query.GetAsync("/api/v1/dead-letters?serviceId=nobody")).GetProperty("deadLetters").EnumerateArray());
        var newest = times[0];
        Assert.Empty((await query.GetAsync($"/api/v1/dead-letters?serviceId=browse&from={newest + 60_000}")).GetProperty("deadLetters").EnumerateArray());
        Assert.Empty((await query.GetAsync($"/api/v1/dead-letters?serviceId=browse&to={times[^1] - 60_000}")).GetProperty("deadLetters").EnumerateArray());
        Assert.Empty((await query.GetAsync("/api/v1/dead-letters?topic=late")).GetProperty("deadLetters").EnumerateArray());
    }

    [RealKafkaFact]
    public async Task GraphQL_shows_the_same_page()
    {
        await using var query = await StartAsync();
        await ProduceAsync("by-graphql", 4);
        var rest = await query.GetAsync("/api/v1/dead-letters?serviceId=by-graphql&limit=3");
        var page = (await query.AskAsync("""
            { deadLetters(serviceId: "by-graphql", limit: 3) { next deadLetters { topic partition offset time key reason message headers { name value } size text base64 } } }
            """)).GetProperty("deadLetters");

        Assert.Equal(rest.GetProperty("next").GetString(), page.GetProperty("next").GetString());
        var expected = rest.GetProperty("deadLetters").EnumerateArray().ToList();
        var actual = page.GetProperty("deadLetters").EnumerateArray().ToList();
        Assert.Equal(3, actual.Count);
        foreach (var (one, other) in expected.Zip(actual))
        {
            foreach (var field in other.EnumerateObject().Where(f => f.Name != "headers")) Assert.Equal(one.GetProperty(field.Name).GetRawText(), field.Value.GetRawText());
            Assert.Equal(
                one.GetProperty("headers").EnumerateObject().Select(h => (h.Name, h.Value.GetString())),
                other.GetProperty("headers").EnumerateArray().Select(h => (h.GetProperty("name").GetString()!, h.GetProperty("value").GetString())));
        }
    }

    [RealKafkaFact]
    public async Task Records_of_aborted_transactions_are_not_shown_and_gaps_do_no_harm()
    {
        await using var query = await StartAsync();
        using var producer = kafka.Kafka.CreateProducer(c => c.TransactionalId = "dead-letter-test");
        producer.InitTransactions(Eventually.DefaultTimeout);
        foreach (var text in (string[])["kept 1", "dropped", "kept 2"])
        {
            producer.BeginTransaction();
            await producer.ProduceAsync(Topics.DeadLetter, new() { Key = "transactions"u8.ToArray(), Value = Encoding.UTF8.GetBytes(text) });
            if (text == "dropped") producer.AbortTransaction();
            else producer.CommitTransaction();
        }

        // The coordinator answers a commit before its marker is in the topic.
        await Eventually.AssertAsync("what was committed is shown", async () =>
        {
            var answer = await query.GetAsync("/api/v1/dead-letters?serviceId=transactions&limit=5");
            Assert.Equal(["kept 2", "kept 1"], answer.GetProperty("deadLetters").EnumerateArray().Select(d => d.GetProperty("text").GetString()));
        });
    }

    [RealKafkaFact]
    public async Task A_replay_sends_the_original_bytes_and_says_where_they_come_from()
    {
        await using var query = await StartAsync();
        var sent = (await ProduceAsync("replayed", 1))[0];

        using var response = await query.Http.PostAsync(new Uri($"/api/v1/dead-letters/{sent.Partition.Value}/{sent.Offset.Value}/replay", UriKind.Relative), null);
        var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Topics.Events, answer.GetProperty("topic").GetString());
        using var consumer = new ConsumerBuilder<string, string>(new ConsumerConfig { BootstrapServers = kafka.Kafka.BootstrapServers, GroupId = "replay-reader" }).Build();
        consumer.Assign(new TopicPartitionOffset(Topics.Events, answer.GetProperty("partition").GetInt32(), answer.GetProperty("offset").GetInt64()));
        var record = consumer.Consume(Eventually.DefaultTimeout);
        Assert.Equal(("replayed", "event 0"), (record.Message.Key, record.Message.Value));
        Assert.True(record.Message.Headers.TryGetLastBytes(KafkaHeaders.Replay, out var header));
        Assert.Equal($"metrics-dead-letter/{sent.Partition.Value}/{sent.Offset.Value}", Encoding.UTF8.GetString(header));
    }

    [RealKafkaTheory]
    [InlineData("/api/v1/dead-letters/3/0/replay", HttpStatusCode.BadRequest, "partition")]
    [InlineData("/api/v1/dead-letters/0/x/replay", HttpStatusCode.BadRequest, "offset")]
    [InlineData("/api/v1/dead-letters/0/0/replay?topic=events", HttpStatusCode.BadRequest, "topic")]
    [InlineData("/api/v1/dead-letters/0/999999999/replay", HttpStatusCode.NotFound, "999999999")]
    public async Task What_cannot_be_replayed_is_refused(string path, HttpStatusCode expected, string named)
    {
        await using var query = await StartAsync();
        using var response = await query.Http.PostAsync(new Uri(path, UriKind.Relative), null);

        Assert.Equal(expected, response.StatusCode);
        Assert.Contains(named, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>A host that has talked to Kafka already: on a busy machine the first answer may take longer than a caller is let wait.</summary>
    async Task<QueryHost> StartAsync()
    {
        var query = await QueryHost.StartAsync(servers, null, ("ConnectionStrings:kafka", kafka.Kafka.BootstrapServers));
        await Eventually.AssertAsync("dead letters can be read", () => query.GetAsync("/api/v1/dead-letters?limit=1"));
        return query;
    }

    async Task<List<DeliveryResult<byte[]?, byte[]?>>> ProduceAsync(string service, int count)
    {
        using var producer = kafka.Kafka.CreateProducer();
        var sent = new List<DeliveryResult<byte[]?, byte[]?>>();
        for (var i = 0; i < count; i++)
            sent.Add(await producer.ProduceAsync(new TopicPartition(Topics.DeadLetter, i % 3), Message(service, Encoding.UTF8.GetBytes($"event {i}"), ReasonCodes.InvalidField)));
        return sent;
    }

    async Task<DeliveryResult<byte[]?, byte[]?>> ProduceOneAsync(string service, byte[] value, string reason)
    {
        using var producer = kafka.Kafka.CreateProducer();
        return await producer.ProduceAsync(new TopicPartition(Topics.DeadLetter, 0), Message(service, value, reason));
    }

    static Message<byte[]?, byte[]?> Message(string service, byte[] value, string reason) => new()
    {
        Key = Encoding.UTF8.GetBytes(service),
        Value = value,
        Headers = new Headers
        {
            { KafkaHeaders.Reason, Encoding.UTF8.GetBytes(reason) }, { KafkaHeaders.Message, "value: must be >= 0"u8.ToArray() }, { KafkaHeaders.Topic, "metrics-events"u8.ToArray() },
        },
    };
}
