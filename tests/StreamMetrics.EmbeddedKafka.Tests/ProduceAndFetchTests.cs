using System.Text;
using Confluent.Kafka;

namespace StreamMetrics.EmbeddedKafka.Tests;

public sealed class ProduceAndFetchTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public async Task Records_come_back_as_sent_with_every_codec(CompressionType codec)
    {
        var topic = await broker.CreateTopicAsync();
        using (var producer = broker.Producer(config => config.CompressionType = codec))
        {
            for (var i = 0; i < 1000; i++) producer.Produce(topic, new() { Key = $"k{i}", Value = BrokerFixture.Text(200, i), Headers = [new Header("h", Encoding.UTF8.GetBytes($"{i}"))] });
            producer.Flush();
        }

        var read = broker.ReadAll(topic);
        Assert.Equal(1000, read.Count);
        for (var i = 0; i < read.Count; i++)
        {
            Assert.Equal((i, $"k{i}", BrokerFixture.Text(200, i), $"{i}"), ((int)read[i].Offset.Value, read[i].Message.Key, read[i].Message.Value, Encoding.UTF8.GetString(read[i].Message.Headers[0].GetValueBytes())));
        }

        // The codec reached the log: the batches are smaller than the records, and the attribute says so.
        if (codec != CompressionType.None) Assert.True(new FileInfo(Directory.GetFiles(Path.Combine(broker.Folder.Path, "topics", $"{topic}-0"), "*.log")[0]).Length < 100_000);
    }

    [Fact]
    public async Task Null_keys_null_values_and_empty_ones_stay_apart()
    {
        var topic = await broker.CreateTopicAsync();
        using var producer = broker.Producer();
        await producer.ProduceAsync(topic, BrokerFixture.Message(null, null));
        await producer.ProduceAsync(topic, BrokerFixture.Message("", ""));
        var read = broker.ReadAll(topic);
        Assert.Equal([(null, null), ("", "")], read.ConvertAll(r => ((string?)r.Message.Key, (string?)r.Message.Value)));
    }

    [Fact]
    public async Task Log_append_time_replaces_the_producers_time_and_is_reported_to_it()
    {
        var topic = await broker.CreateTopicAsync(1, ("message.timestamp.type", "LogAppendTime"));
        var before = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        using var producer = broker.Producer();
        var sent = await producer.ProduceAsync(topic, new() { Key = "k", Value = "v", Timestamp = new Timestamp(1, TimestampType.CreateTime) });
        var read = Assert.Single(broker.ReadAll(topic));
        Assert.Equal(TimestampType.LogAppendTime, read.Message.Timestamp.Type);
        Assert.Equal(sent.Timestamp.UnixTimestampMs, read.Message.Timestamp.UnixTimestampMs);
        Assert.InRange(read.Message.Timestamp.UnixTimestampMs, before, before + 60_000);
    }

    [Fact]
    public async Task A_waiting_fetch_is_answered_by_the_append()
    {
        var topic = await broker.CreateTopicAsync();
        using var producer = broker.Producer();
        await producer.ProduceAsync(topic, BrokerFixture.Message("k", "first"));
        using var consumer = broker.Consumer(null, config => config.FetchWaitMaxMs = 300_000);
        consumer.Assign(new TopicPartitionOffset(topic, 0, 0));
        Assert.Equal("first", consumer.Consume(Wait.Patience)?.Message?.Value);
        await producer.ProduceAsync(topic, BrokerFixture.Message("k", "v"));
        // Without the wake-up the fetch would be parked for five minutes.
        Assert.Equal("v", consumer.Consume(Wait.Patience)?.Message?.Value);
    }

    [Fact]
    public async Task A_record_larger_than_the_fetch_limits_is_delivered()
    {
        var topic = await broker.CreateTopicAsync();
        using var producer = broker.Producer();
        await producer.ProduceAsync(topic, BrokerFixture.Message("k", new string('x', 900_000)));
        using var consumer = broker.Consumer(null, config => (config.FetchMaxBytes, config.MaxPartitionFetchBytes, config.MessageMaxBytes) = (1000, 1000, 1000));
        consumer.Assign(new TopicPartitionOffset(topic, 0, 0));
        Assert.Equal(900_000, consumer.Consume(Wait.Patience).Message.Value.Length);
    }

    [Fact]
    public async Task A_batch_above_the_topics_limit_is_refused()
    {
        var topic = await broker.CreateTopicAsync(1, ("max.message.bytes", "1000"));
        using var producer = broker.Producer(config => config.EnableIdempotence = false);
        var refused = await Assert.ThrowsAsync<ProduceException<string, string>>(() => producer.ProduceAsync(topic, BrokerFixture.Message("k", new string('x', 5000))));
        Assert.Equal(Confluent.Kafka.ErrorCode.MsgSizeTooLarge, refused.Error.Code);
    }

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Zstd)]
    public async Task A_time_is_found_to_the_record_inside_a_batch(CompressionType codec)
    {
        var topic = await broker.CreateTopicAsync();
        using (var producer = broker.Producer(config => (config.CompressionType, config.LingerMs) = (codec, 200)))
        {
            for (var i = 0; i < 500; i++) producer.Produce(topic, new() { Key = "k", Value = BrokerFixture.Text(100, i), Timestamp = new Timestamp(1_000_000 + i * 10, TimestampType.CreateTime) });
            producer.Flush();
        }

        using var consumer = broker.Consumer();
        long Find(long time) => consumer.OffsetsForTimes([new TopicPartitionTimestamp(topic, 0, new Timestamp(time, TimestampType.CreateTime))], Wait.Patience)[0].Offset.Value;
        Assert.Equal(0, Find(0));
        Assert.Equal(123, Find(1_000_000 + 1230));
        Assert.Equal(124, Find(1_000_000 + 1231));
        Assert.Equal(Offset.End.Value, Find(9_000_000));
    }

    [Fact]
    public async Task Every_announced_broker_serves_every_partition()
    {
        var topic = await broker.CreateTopicAsync(6);
        using var admin = broker.Admin();
        var metadata = admin.GetMetadata(topic, Wait.Patience);
        Assert.Equal(3, metadata.Brokers.Count);
        Assert.Equal(3, metadata.Topics[0].Partitions.Select(p => p.Leader).Distinct().Count());
        foreach (var server in broker.Servers.Split(','))
        {
            using var producer = BrokerFixture.Producer(server);
            await producer.ProduceAsync(new TopicPartition(topic, 5), BrokerFixture.Message("k", server));
        }

        Assert.Equal(broker.Servers.Split(','), broker.ReadAll(topic, 5).ConvertAll(r => r.Message.Value));
    }

    [Fact]
    public async Task Deleted_records_are_gone_and_the_start_moves()
    {
        var topic = await broker.CreateTopicAsync();
        using var producer = broker.Producer();
        for (var i = 0; i < 10; i++) await producer.ProduceAsync(topic, BrokerFixture.Message("k", $"{i}"));
        using var admin = broker.Admin();
        var deleted = await admin.DeleteRecordsAsync([new TopicPartitionOffset(topic, 0, 7)]);
        Assert.Equal(7, deleted[0].Offset.Value);
        using var consumer = broker.Consumer();
        var marks = consumer.QueryWatermarkOffsets(new(topic, 0), Wait.Patience);
        Assert.Equal((7, 10), (marks.Low.Value, marks.High.Value));
        Assert.Equal(["7", "8", "9"], broker.ReadAll(topic, from: 7).ConvertAll(r => r.Message.Value));
    }

    [Fact]
    public async Task Records_without_a_key_are_refused_by_a_compacted_topic()
    {
        var topic = await broker.CreateTopicAsync(1, ("cleanup.policy", "compact"));
        using var producer = broker.Producer(config => config.CompressionType = CompressionType.Zstd);
        await producer.ProduceAsync(topic, BrokerFixture.Message("k", "v"));
        var refused = await Assert.ThrowsAsync<ProduceException<string, string>>(() => producer.ProduceAsync(topic, BrokerFixture.Message(null, "v")));
        Assert.Equal(Confluent.Kafka.ErrorCode.InvalidRecord, refused.Error.Code);
    }
}
