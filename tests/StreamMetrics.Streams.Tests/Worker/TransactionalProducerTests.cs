using System.Diagnostics.Metrics;
using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using StreamMetrics.Contracts;
using StreamMetrics.Streams.Worker;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

[Collection(RealKafkaCollection.Name)]
public sealed class TransactionalProducerTests(ProductKafkaFixture fixture) : IDisposable
{
    readonly AggregatorMetrics _metrics = new(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>());

    public void Dispose() => _metrics.Dispose();

    [RealKafkaFact]
    public async Task A_commit_makes_records_and_offset_visible_together()
    {
        var options = fixture.NewGroup();
        using var consumer = Member(options);
        using var producer = new TransactionalProducer(1, options, _metrics);
        producer.Open();
        for (var i = 1; i <= 3; i++)
        {
            producer.Begin();
            producer.Send(Topics.Late, 0, Message($"{options.GroupId}-{i}"));
            producer.Commit(i * 10, consumer.ConsumerGroupMetadata);
            Assert.Equal(i * 10, consumer.Committed([new(Topics.Events, 1)], Eventually.DefaultTimeout)[0].Offset.Value);
        }

        await SeenAsync(3, options.GroupId);
    }

    [RealKafkaFact]
    public async Task A_new_owner_fences_the_old_one_and_aborts_what_it_left_open()
    {
        var options = fixture.NewGroup();
        using var consumer = Member(options);
        using var old = new TransactionalProducer(2, options, _metrics);
        old.Open();
        old.Begin();
        old.Send(Topics.Late, 0, Message($"{options.GroupId}-old"));

        using var successor = new TransactionalProducer(2, options, _metrics);
        successor.Open();
        successor.Begin();
        successor.Send(Topics.Late, 0, Message($"{options.GroupId}-new"));
        successor.Commit(20, consumer.ConsumerGroupMetadata);

        Assert.Throws<PartitionLostException>(() => old.Commit(10, consumer.ConsumerGroupMetadata));
        Assert.Equal(20, consumer.Committed([new(Topics.Events, 2)], Eventually.DefaultTimeout)[0].Offset.Value);
        await SeenAsync(1, options.GroupId);
    }

    [RealKafkaFact]
    public async Task A_producer_that_does_not_know_how_its_transaction_ended_is_replaced_and_nothing_of_it_is_seen()
    {
        var options = fixture.NewGroup();
        using var consumer = Member(options);
        var lost = new TransactionalProducer(3, options, _metrics);
        lost.Open();
        lost.Begin();
        lost.Send(Topics.Late, 0, Message($"{options.GroupId}-lost"));
        lost.Dispose(); // as after a commit without an answer: the transaction is open at the broker

        using var successor = new TransactionalProducer(3, options, _metrics);
        successor.Open();
        Assert.Equal(Offset.Unset, consumer.Committed([new(Topics.Events, 3)], Eventually.DefaultTimeout)[0].Offset);
        Assert.Equal(0, await CountAsync(options.GroupId));
    }

    static Message<byte[], byte[]> Message(string key) => new() { Key = Encoding.UTF8.GetBytes(key), Value = [1] };

    static IConsumer<Ignore, Ignore> Member(WorkerOptions options) =>
        new ConsumerBuilder<Ignore, Ignore>(ClientSettings.Reader(options, IsolationLevel.ReadCommitted)).Build();

    // The coordinator answers a commit before its markers are in the topics.
    Task SeenAsync(int count, string group) => Eventually.EqualAsync("what was committed is seen", count, () => CountAsync(group));

    async Task<int> CountAsync(string group) =>
        (await TopicReader.ReadAsync(fixture.Kafka.BootstrapServers, Topics.Late)).Count(r => Encoding.UTF8.GetString(r.Message.Key!).StartsWith(group, StringComparison.Ordinal));
}
