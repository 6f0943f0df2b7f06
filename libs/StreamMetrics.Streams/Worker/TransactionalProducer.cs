using Confluent.Kafka;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// Exactly once: one Kafka transaction holds everything of a commit and the input offset (KIP-98, KIP-447). The transactional id belongs to
/// the input partition, so a new owner's <see cref="Open"/> fences the old one and aborts what it left open.
/// </summary>
/// <param name="partition">Input partition.</param>
/// <param name="options">Options.</param>
/// <param name="metrics">Receives the client's statistics.</param>
sealed class TransactionalProducer(int partition, WorkerOptions options, AggregatorMetrics metrics)
    : PartitionProducer(partition, ClientSettings.Transactional(options, partition), options, metrics)
{
    /// <inheritdoc/>
    public override void Open()
    {
        Librdkafka.AwaitBroker(Client, Timeout);
        Guard("Fencing the previous owner", () => Client.InitTransactions(Timeout));
    }

    /// <inheritdoc/>
    public override void Begin() => Guard("Beginning a transaction", Client.BeginTransaction);

    /// <inheritdoc/>
    public override void Commit(long offset, IConsumerGroupMetadata group)
    {
        TopicPartitionOffset[] offsets = [new(Topics.Events, Partition, offset)];
        Guard("Sending the offset to the transaction", () => Client.SendOffsetsToTransaction(offsets, group, Timeout));
        Guard("Committing the transaction", () => Client.CommitTransaction(Timeout));
    }
}
