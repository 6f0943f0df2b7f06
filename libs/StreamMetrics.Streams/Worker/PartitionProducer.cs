using Confluent.Kafka;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// Carries the commits of one input partition: what the engine writes, and the input offset it stands for. After the first failure it is
/// never used again. Not for several threads at once; <see cref="Open"/> and <see cref="Commit"/> block and belong on a
/// <see cref="BackgroundStep"/>.
/// </summary>
abstract class PartitionProducer : IDisposable
{
    /// <summary>How long a full send queue may take to get room, and how long a commit may take in all.</summary>
    readonly TimeSpan _timeout;
    readonly IProducer<byte[], byte[]> _producer;

    /// <summary>Creates the client; nothing is sent yet.</summary>
    /// <param name="partition">Input partition.</param>
    /// <param name="config">Settings of the client.</param>
    /// <param name="options">Options.</param>
    /// <param name="metrics">Receives the client's statistics.</param>
    protected PartitionProducer(int partition, ProducerConfig config, WorkerOptions options, AggregatorMetrics metrics)
    {
        Partition = partition;
        _timeout = options.TransactionTimeout;
        _producer = new ProducerBuilder<byte[], byte[]>(config)
            .SetStatisticsHandler((_, json) => metrics.ProducerStatistics(json))
            .SetErrorHandler(static (_, _) => { }) // every operation reports its own error; this is only the client's running commentary
            .SetLogHandler(static (_, _) => { })
            .Build();
    }

    /// <summary>Input partition.</summary>
    public int Partition { get; }

    /// <summary>The client.</summary>
    protected IProducer<byte[], byte[]> Client => _producer;

    /// <summary>Longest time for an operation that blocks.</summary>
    protected TimeSpan Timeout => _timeout;

    /// <summary>Makes sure that nobody else commits for this partition any more.</summary>
    public abstract void Open();

    /// <summary>Starts a commit.</summary>
    public abstract void Begin();

    /// <summary>Ends the commit that <see cref="Begin"/> started: when it returns everything sent since is durable, and so is the offset.</summary>
    /// <param name="offset">Next input offset.</param>
    /// <param name="group">The consumer's membership, taken anew for this commit.</param>
    public abstract void Commit(long offset, IConsumerGroupMetadata group);

    /// <summary>Hands a record to the client, waiting while its queue is full.</summary>
    /// <param name="topic">Topic.</param>
    /// <param name="partition">Partition, or <see cref="Confluent.Kafka.Partition.Any"/> to go by the key.</param>
    /// <param name="message">Key, value, headers.</param>
    public void Send(string topic, Partition partition, Message<byte[], byte[]> message)
    {
        var target = new TopicPartition(topic, partition);
        var attempts = (int)(_timeout / QueueFullPause);
        while (!TrySend(target, message))
        {
            if (--attempts < 0)
                throw new StateCorruptedException($"The send queue of partition {Partition} stayed full for {_timeout}: the brokers take nothing.");
            Guard("Sending", () => _producer.Flush(QueueFullPause));
        }
    }

    /// <summary>Closes the client. An open transaction is left to the next owner's fencing.</summary>
    public void Dispose() => _producer.Dispose();

    /// <summary>Runs an operation of the client and translates what it throws.</summary>
    /// <param name="operation">Name of the operation.</param>
    /// <param name="action">The operation.</param>
    protected void Guard(string operation, Action action)
    {
        try
        {
            action();
        }
        catch (KafkaException e)
        {
            throw KafkaFailures.Translate(e, operation, Partition);
        }
    }

    /// <summary>Where a record of which delivery must be known reports to; null when the transaction answers for it.</summary>
    protected virtual Action<DeliveryReport<byte[], byte[]>>? Delivered => null;

    static readonly TimeSpan QueueFullPause = TimeSpan.FromMilliseconds(50);

    bool TrySend(TopicPartition target, Message<byte[], byte[]> message)
    {
        try
        {
            _producer.Produce(target, message, Delivered);
            return true;
        }
        catch (KafkaException e) when (e.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
        catch (KafkaException e)
        {
            throw KafkaFailures.Translate(e, "Sending", Partition);
        }
    }
}
