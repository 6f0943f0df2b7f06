using Confluent.Kafka;

namespace StreamMetrics.EmbeddedKafka.Tests;

public sealed class GroupTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    [Theory]
    [InlineData(PartitionAssignmentStrategy.Range)]
    [InlineData(PartitionAssignmentStrategy.CooperativeSticky)]
    public async Task Members_share_the_partitions_and_take_over_from_one_that_leaves(PartitionAssignmentStrategy strategy)
    {
        var topic = await broker.CreateTopicAsync(6);
        var group = BrokerFixture.NewName("group");
        using var first = broker.Consumer(group, config => config.PartitionAssignmentStrategy = strategy);
        using var second = broker.Consumer(group, config => config.PartitionAssignmentStrategy = strategy);
        first.Subscribe(topic);
        second.Subscribe(topic);
        Poll(() => first.Assignment.Count == 3 && second.Assignment.Count == 3, first, second);
        Assert.Equal(6, first.Assignment.Concat(second.Assignment).Distinct().Count());
        second.Close();
        Poll(() => first.Assignment.Count == 6, first);
    }

    [Fact]
    public async Task Offsets_are_kept_for_the_next_member()
    {
        var topic = await broker.CreateTopicAsync();
        using (var producer = broker.Producer())
        {
            for (var i = 0; i < 10; i++) await producer.ProduceAsync(topic, BrokerFixture.Message("k", $"{i}"));
        }

        var group = BrokerFixture.NewName("group");
        using (var consumer = broker.Consumer(group))
        {
            consumer.Subscribe(topic);
            for (var i = 0; i < 4; i++) consumer.Commit(Next(consumer));
            consumer.Close();
        }

        using var next = broker.Consumer(group);
        next.Subscribe(topic);
        Assert.Equal("4", Next(next).Message.Value);
    }

    [Fact]
    public async Task A_static_member_gets_its_partitions_back_without_a_rebalance()
    {
        var topic = await broker.CreateTopicAsync(4);
        var group = BrokerFixture.NewName("group");
        using var other = broker.Consumer(group, config => config.GroupInstanceId = "other");
        other.Subscribe(topic);
        List<TopicPartition> before;
        using (var restarted = broker.Consumer(group, config => config.GroupInstanceId = "restarted"))
        {
            restarted.Subscribe(topic);
            Poll(() => other.Assignment.Count == 2 && restarted.Assignment.Count == 2, other, restarted);
            before = restarted.Assignment;
            restarted.Close();
        }

        var generation = other.ConsumerGroupMetadata;
        using var again = broker.Consumer(group, config => config.GroupInstanceId = "restarted");
        again.Subscribe(topic);
        Poll(() => again.Assignment.Count == 2, other, again);
        Assert.Equal(before, again.Assignment);
        Assert.Equal(2, other.Assignment.Count);
        using var admin = broker.Admin();
        var described = (await admin.DescribeConsumerGroupsAsync([group])).ConsumerGroupDescriptions[0];
        Assert.Equal(ConsumerGroupState.Stable, described.State);
        Assert.Equal(["other", "restarted"], described.Members.Select(m => m.GroupInstanceId).Order());
    }

    [Fact]
    public async Task A_member_that_is_silent_loses_its_partitions()
    {
        var topic = await broker.CreateTopicAsync(2);
        var group = BrokerFixture.NewName("group");
        using var alive = broker.Consumer(group);
        var raw = await RawClient.ConnectAsync(broker.Servers.Split(',')[0]);
        await using var _ = raw;
        alive.Subscribe(topic);
        Poll(() => alive.Assignment.Count == 2, alive);
        var joining = raw.JoinGroupAsync(group, topic, sessionTimeoutMs: 6000);
        Poll(() => joining.IsCompleted, alive);
        Poll(() => alive.Assignment.Count < 2, alive);
        Poll(() => alive.Assignment.Count == 2, alive);
    }

    [Fact]
    public async Task Groups_are_listed_described_and_deleted_only_when_empty()
    {
        var topic = await broker.CreateTopicAsync();
        var group = BrokerFixture.NewName("group");
        using var admin = broker.Admin();
        using (var consumer = broker.Consumer(group))
        {
            consumer.Subscribe(topic);
            Poll(() => consumer.Assignment.Count == 1, consumer);
            var error = await Assert.ThrowsAsync<Confluent.Kafka.Admin.DeleteGroupsException>(() => admin.DeleteGroupsAsync([group]));
            Assert.Equal(Confluent.Kafka.ErrorCode.NonEmptyGroup, error.Results[0].Error.Code);
            consumer.Close();
        }

        Assert.Contains((await admin.ListConsumerGroupsAsync()).Valid, listed => listed.GroupId == group);
        await admin.DeleteGroupsAsync([group]);
        Assert.DoesNotContain((await admin.ListConsumerGroupsAsync()).Valid, listed => listed.GroupId == group);
    }

    static ConsumeResult<string, string> Next(IConsumer<string, string> consumer)
    {
        while (true)
        {
            var result = consumer.Consume(Wait.Patience) ?? throw new TimeoutException("No record.");
            if (!result.IsPartitionEOF) return result;
        }
    }

    static void Poll(Func<bool> until, params IConsumer<string, string>[] consumers)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!until())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Wait.Patience)
                throw new TimeoutException($"Assignments: {string.Join(" | ", consumers.Select(c => string.Join(",", c.Assignment)))}");
            foreach (var consumer in consumers) consumer.Consume(TimeSpan.FromMilliseconds(20));
        }
    }
}
