using Confluent.Kafka;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// At least once: outputs and state are acknowledged first, then the input offset is committed. After a crash in between, events since the
/// last commit count twice. For brokers without transactions, and to measure what exactly once costs.
/// </summary>
/// <param name="partition">Input partition.</param>
/// <param name="options">Options.</param>
/// <param name="metrics">Receives the client's statistics.</param>
/// <param name="commitOffset">Commits the input offset through the consumer.</param>
sealed class IdempotentProducer(int partition, WorkerOptions options, AggregatorMetrics metrics, Action<TopicPartitionOffset> commitOffset)
    : PartitionProducer(partition, ClientSettings.Idempotent(options, $"streammetrics-{partition}"), options, metrics)
{
    volatile Error? _failed;
    Action<DeliveryReport<byte[], byte[]>>? _delivered;

    /// <inheritdoc/>
    protected override Action<DeliveryReport<byte[], byte[]>> Delivered => _delivered ??= Check;

    /// <inheritdoc/>
    public override void Open()
    {
    }

    /// <inheritdoc/>
    public override void Begin()
    {
    }

    /// <inheritdoc/>
    public override void Commit(long offset, IConsumerGroupMetadata group)
    {
        Guard("Flushing", Flush);
        Guard("Committing the offset", () => commitOffset(new(Topics.Events, Partition, offset)));
    }

    void Flush()
    {
        var left = Client.Flush(Timeout);
        if (_failed is { } error) throw new KafkaException(error);
        if (left > 0) throw new KafkaException(new Error(ErrorCode.Local_TimedOut, $"{left} records were not acknowledged within {Timeout}"));
    }

    void Check(DeliveryReport<byte[], byte[]> report)
    {
        if (report.Error.IsError) _failed = report.Error;
    }
}
