using Confluent.Kafka;

namespace StreamMetrics.EmbeddedKafka.Tests;

public sealed class TransactionTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    static readonly TimeSpan Patience = Wait.Patience;

    [Fact]
    public async Task Committed_records_are_read_and_aborted_ones_are_not()
    {
        var topic = await broker.CreateTopicAsync();
        using var producer = Transactional(BrokerFixture.NewName("tx"));
        for (var i = 0; i < 20; i++)
        {
            producer.BeginTransaction();
            for (var j = 0; j < 5; j++) producer.Produce(topic, BrokerFixture.Message("k", $"{i}.{j}"));
            // Flushed, because an abort drops what the client has not sent yet.
            producer.Flush();
            if (i % 3 == 1) producer.AbortTransaction(Patience);
            else producer.CommitTransaction(Patience);
        }

        var wanted = Enumerable.Range(0, 20).Where(i => i % 3 != 1).SelectMany(i => Enumerable.Range(0, 5).Select(j => $"{i}.{j}")).ToList();
        Assert.Equal(wanted, broker.ReadAll(topic).ConvertAll(r => r.Message.Value));
        Assert.True(broker.ReadAll(topic, isolation: IsolationLevel.ReadUncommitted).Count > wanted.Count);

        // From every offset: an aborted transaction that lies behind must not hide what comes after it.
        var all = broker.ReadAll(topic);
        for (var from = 0; from < 120; from += 7) Assert.Equal(all.Where(r => r.Offset >= from).Select(r => r.Message.Value), broker.ReadAll(topic, from: from).ConvertAll(r => r.Message.Value));
    }

    [Fact]
    public async Task An_open_transaction_holds_back_what_comes_after_it_until_it_ends()
    {
        var topic = await broker.CreateTopicAsync();
        using var open = Transactional(BrokerFixture.NewName("tx"));
        using var plain = broker.Producer();
        await plain.ProduceAsync(topic, BrokerFixture.Message("k", "before"));
        open.BeginTransaction();
        await open.ProduceAsync(topic, BrokerFixture.Message("k", "inside"));
        await plain.ProduceAsync(topic, BrokerFixture.Message("k", "after"));
        Assert.Equal(["before"], broker.ReadAll(topic).ConvertAll(r => r.Message.Value));

        using var waiting = broker.Consumer(null, config => (config.FetchWaitMaxMs, config.EnablePartitionEof) = (30_000, false));
        waiting.Assign(new TopicPartitionOffset(topic, 0, 1));
        var read = Task.Run(() => new List<string?> { waiting.Consume(Patience)?.Message.Value, waiting.Consume(Patience)?.Message.Value });
        open.CommitTransaction(Patience);
        Assert.Equal(["inside", "after"], await read);
    }

    [Fact]
    public async Task A_second_producer_with_the_id_fences_the_first_and_aborts_its_transaction()
    {
        var (topic, id) = (await broker.CreateTopicAsync(), BrokerFixture.NewName("tx"));
        using var first = Transactional(id);
        first.BeginTransaction();
        await first.ProduceAsync(topic, BrokerFixture.Message("k", "lost"));
        using var second = Transactional(id);
        second.BeginTransaction();
        await second.ProduceAsync(topic, BrokerFixture.Message("k", "kept"));
        second.CommitTransaction(Patience);
        var fenced = Assert.ThrowsAny<KafkaException>(() => first.CommitTransaction(Patience));
        Assert.True(fenced.Error.IsFatal);
        Assert.Equal(["kept"], broker.ReadAll(topic).ConvertAll(r => r.Message.Value));
    }

    [Fact]
    public async Task A_transaction_older_than_its_timeout_is_aborted_and_its_producer_fenced()
    {
        var topic = await broker.CreateTopicAsync();
        using var producer = Transactional(BrokerFixture.NewName("tx"), timeoutMs: 5000);
        producer.BeginTransaction();
        await producer.ProduceAsync(topic, BrokerFixture.Message("k", "late"));
        using var plain = broker.Producer();
        await plain.ProduceAsync(topic, BrokerFixture.Message("k", "after"));
        using var reader = broker.Consumer(null, config => config.EnablePartitionEof = false);
        reader.Assign(new TopicPartitionOffset(topic, 0, 0));
        Assert.Equal("after", reader.Consume(Patience)?.Message.Value);
        Assert.ThrowsAny<KafkaException>(() => producer.CommitTransaction(Patience));
        Assert.Equal(["after"], broker.ReadAll(topic).ConvertAll(r => r.Message.Value));
    }

    [Fact]
    public async Task Offsets_of_a_transaction_count_with_its_commit_and_not_with_its_abort()
    {
        var (topic, group) = (await broker.CreateTopicAsync(), BrokerFixture.NewName("group"));
        using var consumer = broker.Consumer(group);
        consumer.Subscribe(topic);
        while (consumer.Assignment.Count == 0) consumer.Consume(TimeSpan.FromMilliseconds(50));
        using var producer = Transactional(BrokerFixture.NewName("tx"));

        producer.BeginTransaction();
        producer.SendOffsetsToTransaction([new(topic, 0, 5)], consumer.ConsumerGroupMetadata, Patience);
        Assert.Equal(Offset.Unset, await CommittedAsync(group, topic, requireStable: false));
        Assert.Null(await CommittedAsync(group, topic, requireStable: true, isStable: false));
        producer.CommitTransaction(Patience);
        Assert.Equal(5, (await CommittedAsync(group, topic, requireStable: true))!.Value);

        producer.BeginTransaction();
        producer.SendOffsetsToTransaction([new(topic, 0, 9)], consumer.ConsumerGroupMetadata, Patience);
        producer.AbortTransaction(Patience);
        Assert.Equal(5, (await CommittedAsync(group, topic, requireStable: true))!.Value);
    }

    [Fact]
    public async Task Offsets_from_a_past_generation_are_refused()
    {
        var (topic, group) = (await broker.CreateTopicAsync(2), BrokerFixture.NewName("group"));
        using var consumer = broker.Consumer(group);
        consumer.Subscribe(topic);
        while (consumer.Assignment.Count < 2) consumer.Consume(TimeSpan.FromMilliseconds(50));
        var old = consumer.ConsumerGroupMetadata;
        using var other = broker.Consumer(group);
        other.Subscribe(topic);
        while (other.Assignment.Count == 0 || consumer.Assignment.Count == 2)
        {
            consumer.Consume(TimeSpan.FromMilliseconds(20));
            other.Consume(TimeSpan.FromMilliseconds(20));
        }

        using var producer = Transactional(BrokerFixture.NewName("tx"));
        producer.BeginTransaction();
        var refused = Assert.ThrowsAny<KafkaException>(() => producer.SendOffsetsToTransaction([new(topic, 0, 5)], old, Patience));
        Assert.Equal(Confluent.Kafka.ErrorCode.IllegalGeneration, refused.Error.Code);
        producer.AbortTransaction(Patience);
    }

    [Fact]
    public async Task A_restart_keeps_committed_open_and_aborted_apart()
    {
        using var folder = new TemporaryFolder();
        IProducer<string, string> open;
        await using (var server = await BrokerFixture.StartAsync(folder.Path))
        {
            await BrokerFixture.CreateTopicAsync(server.BootstrapServers, "t");
            using var producer = Transactional("done", servers: server.BootstrapServers);
            foreach (var value in new[] { "committed", "aborted", "committed too" })
            {
                producer.BeginTransaction();
                producer.Produce("t", BrokerFixture.Message("k", value));
                if (value == "aborted") producer.AbortTransaction(Patience);
                else producer.CommitTransaction(Patience);
            }

            open = Transactional("open", timeoutMs: 600_000, servers: server.BootstrapServers);
            open.BeginTransaction();
            await open.ProduceAsync("t", BrokerFixture.Message("k", "open"));
        }

        open.Dispose();
        await using var again = await BrokerFixture.StartAsync(folder.Path);
        using var plain = BrokerFixture.Producer(again.BootstrapServers);
        await plain.ProduceAsync("t", BrokerFixture.Message("k", "after"));
        Assert.Equal(["committed", "committed too"], BrokerFixture.ReadAll(again.BootstrapServers, "t").ConvertAll(r => r.Message.Value));
        using var fencing = Transactional("open", servers: again.BootstrapServers);
        Assert.Equal(["committed", "committed too", "after"], BrokerFixture.ReadAll(again.BootstrapServers, "t").ConvertAll(r => r.Message.Value));
    }

    /// <summary>The committed offset; null when it is asked for stable and is not, which only the end of waiting tells.</summary>
    async Task<Offset?> CommittedAsync(string group, string topic, bool requireStable, bool isStable = true)
    {
        using var admin = broker.Admin();
        try
        {
            var result = await admin.ListConsumerGroupOffsetsAsync([new(group, [new(topic, 0)])], new() { RequireStableOffsets = requireStable, RequestTimeout = requireStable && !isStable ? TimeSpan.FromSeconds(2) : Patience });
            return result[0].Partitions[0].Error.IsError ? null : result[0].Partitions[0].Offset;
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    IProducer<string, string> Transactional(string id, int timeoutMs = 60_000, string? servers = null)
    {
        var producer = BrokerFixture.Producer(servers ?? broker.Servers, config => (config.TransactionalId, config.TransactionTimeoutMs) = (id, timeoutMs));
        producer.InitTransactions(Patience);
        return producer;
    }
}
