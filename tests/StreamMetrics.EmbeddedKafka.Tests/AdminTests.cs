using Confluent.Kafka;
using Confluent.Kafka.Admin;
using KafkaConfigEntry = Confluent.Kafka.Admin.ConfigEntry;
using KafkaConfigSource = Confluent.Kafka.Admin.ConfigSource;

namespace StreamMetrics.EmbeddedKafka.Tests;

public sealed class AdminTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    [Fact]
    public async Task A_wrong_topic_is_refused_with_the_reason()
    {
        var existing = await broker.CreateTopicAsync();
        using var admin = broker.Admin();
        async Task<(Confluent.Kafka.ErrorCode, string)> RefusedAsync(TopicSpecification topic)
        {
            var error = await Assert.ThrowsAsync<CreateTopicsException>(() => admin.CreateTopicsAsync([topic]));
            return (error.Results[0].Error.Code, error.Results[0].Error.Reason);
        }

        Assert.Equal(Confluent.Kafka.ErrorCode.TopicAlreadyExists, (await RefusedAsync(new() { Name = existing })).Item1);
        Assert.Equal(Confluent.Kafka.ErrorCode.TopicException, (await RefusedAsync(new() { Name = "with space" })).Item1);
        Assert.Equal(Confluent.Kafka.ErrorCode.InvalidPartitions, (await RefusedAsync(new() { Name = "none", NumPartitions = 0 })).Item1);
        Assert.Equal(Confluent.Kafka.ErrorCode.InvalidReplicationFactor, (await RefusedAsync(new() { Name = "four", ReplicationFactor = 4 })).Item1);
        var (code, reason) = await RefusedAsync(new() { Name = "config", Configs = new() { ["retention.ms"] = "soon" } });
        Assert.Equal((Confluent.Kafka.ErrorCode.InvalidConfig, true), (code, reason.Contains("retention.ms", StringComparison.Ordinal)));
        Assert.Equal(Confluent.Kafka.ErrorCode.InvalidConfig, (await RefusedAsync(new() { Name = "config", Configs = new() { ["no.such.setting"] = "1" } })).Item1);
    }

    [Fact]
    public async Task Settings_are_set_removed_appended_and_subtracted_and_take_effect()
    {
        var topic = await broker.CreateTopicAsync(1, ("retention.ms", "1000000"));
        var resource = new ConfigResource { Type = ResourceType.Topic, Name = topic };
        using var admin = broker.Admin();
        async Task<Dictionary<string, ConfigEntryResult>> AlterAsync(string name, string? value, AlterConfigOpType operation)
        {
            await admin.IncrementalAlterConfigsAsync(new() { [resource] = [new KafkaConfigEntry { Name = name, Value = value!, IncrementalOperation = operation }] });
            return (await admin.DescribeConfigsAsync([resource]))[0].Entries;
        }

        Assert.Equal("2000000", (await AlterAsync("retention.ms", "2000000", AlterConfigOpType.Set))["retention.ms"].Value);
        var removed = await AlterAsync("retention.ms", null, AlterConfigOpType.Delete);
        Assert.Equal(("604800000", KafkaConfigSource.DefaultConfig), (removed["retention.ms"].Value, removed["retention.ms"].Source));
        Assert.Equal("delete,compact", (await AlterAsync("cleanup.policy", "compact", AlterConfigOpType.Append))["cleanup.policy"].Value);
        Assert.Equal("compact", (await AlterAsync("cleanup.policy", "delete", AlterConfigOpType.Subtract))["cleanup.policy"].Value);
        await AlterAsync("message.timestamp.type", "LogAppendTime", AlterConfigOpType.Set);
        using var producer = broker.Producer();
        var sent = await producer.ProduceAsync(topic, new() { Key = "k", Value = "v", Timestamp = new Timestamp(1, TimestampType.CreateTime) });
        Assert.True(sent.Timestamp.UnixTimestampMs > 1);
        var wrong = await Assert.ThrowsAsync<IncrementalAlterConfigsException>(() => AlterAsync("segment.bytes", "many", AlterConfigOpType.Set));
        Assert.Contains("segment.bytes", wrong.Results[0].Error.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Partitions_can_be_added_and_never_taken_away()
    {
        var topic = await broker.CreateTopicAsync(2);
        using var admin = broker.Admin();
        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 5 }]);
        Assert.Equal(5, admin.GetMetadata(topic, Wait.Patience).Topics[0].Partitions.Count);
        using var producer = broker.Producer();
        await producer.ProduceAsync(new Confluent.Kafka.TopicPartition(topic, 4), BrokerFixture.Message("k", "v"));
        var refused = await Assert.ThrowsAsync<CreatePartitionsException>(() => admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 3 }]));
        Assert.Equal(Confluent.Kafka.ErrorCode.InvalidPartitions, refused.Results[0].Error.Code);
    }

    [Fact]
    public async Task A_topic_created_again_is_a_new_one_and_offsets_of_the_old_are_gone()
    {
        var topic = await broker.CreateTopicAsync();
        var group = BrokerFixture.NewName("group");
        using var admin = broker.Admin();
        async Task<string> IdAsync() => (await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([topic]))).TopicDescriptions[0].TopicId.ToString();
        var before = await IdAsync();
        using (var producer = broker.Producer()) await producer.ProduceAsync(topic, BrokerFixture.Message("k", "old"));
        using (var consumer = broker.Consumer(group)) consumer.Commit([new TopicPartitionOffset(topic, 0, 1)]);
        await admin.DeleteTopicsAsync([topic]);
        await BrokerFixture.CreateTopicAsync(broker.Servers, topic);
        Assert.NotEqual(before, await IdAsync());
        Assert.Empty(broker.ReadAll(topic));
        using var again = broker.Consumer(group);
        Assert.Equal(Offset.Unset, again.Committed([new Confluent.Kafka.TopicPartition(topic, 0)], Wait.Patience)[0].Offset);
    }

    [Fact]
    public async Task The_cluster_describes_itself()
    {
        using var admin = broker.Admin();
        var cluster = await admin.DescribeClusterAsync();
        Assert.Equal(broker.Servers.Split(','), cluster.Nodes.OrderBy(n => n.Id).Select(n => $"{n.Host}:{n.Port}"));
        Assert.NotEmpty(cluster.ClusterId);
    }
}
