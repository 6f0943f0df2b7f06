using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>Turns what the engine writes into records of the output topics.</summary>
/// <param name="producer">Producer of the partition, in a commit.</param>
/// <param name="traceParent">W3C context of this commit, for the readers of the aggregates; null when nobody traces.</param>
/// <param name="catalog">What is known of services, if there is a catalog.</param>
sealed class CommitOutput(PartitionProducer producer, string? traceParent, IServiceCatalog? catalog = null) : IEngineOutput
{
    static readonly byte[] TopicHeader = Encoding.UTF8.GetBytes(Topics.Events);

    readonly byte[] _partitionHeader = Text(producer.Partition);
    readonly Headers? _trace = traceParent is null ? null : [new Header(TraceHeaders.TraceParent, Encoding.UTF8.GetBytes(traceParent))];

    /// <summary>Aggregates written.</summary>
    public int Aggregates { get; private set; }

    /// <summary>Dead letters written.</summary>
    public int DeadLetters { get; private set; }

    /// <summary>State records written.</summary>
    public int StateRecords { get; private set; }

    /// <inheritdoc/>
    public void Aggregate(string window, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Aggregates++;
        producer.Send(Topics.Aggregated(window), Partition.Any, new() { Key = key.ToArray(), Value = value.ToArray(), Headers = HeadersOf(key) });
    }

    /// <inheritdoc/>
    public void DeadLetter(in RejectedRecord record)
    {
        DeadLetters++;
        Reject(Topics.DeadLetter, record);
    }

    /// <inheritdoc/>
    public void Late(in RejectedRecord record) => Reject(Topics.Late, record);

    /// <inheritdoc/>
    public void State(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        StateRecords++;
        producer.Send(Topics.State, producer.Partition, new() { Key = key.ToArray(), Value = value.IsEmpty ? null! : value.ToArray() });
    }

    void Reject(string topic, in RejectedRecord record)
    {
        Headers headers =
        [
            new Header(KafkaHeaders.Reason, Encoding.UTF8.GetBytes(record.Reason)),
            new Header(KafkaHeaders.Message, Encoding.UTF8.GetBytes(record.Message)),
            new Header(KafkaHeaders.Topic, TopicHeader),
            new Header(KafkaHeaders.Partition, _partitionHeader),
            new Header(KafkaHeaders.Offset, Text(record.Offset)),
            new Header(KafkaHeaders.Attempts, Text(record.Attempts)),
            new Header(KafkaHeaders.Time, Text(record.LogTime)),
        ];
        producer.Send(topic, Partition.Any, new() { Key = record.Key.IsEmpty ? null! : record.Key.ToArray(), Value = record.Value.ToArray(), Headers = headers });
    }

    // The key is the service's id.
    Headers? HeadersOf(ReadOnlySpan<byte> service)
    {
        if (catalog?.Find(service) is not { } attributes) return _trace;
        Headers headers = [new Header(KafkaHeaders.Catalog, attributes)];
        if (_trace is not null) headers.Add(_trace[0].Key, _trace[0].GetValueBytes());
        return headers;
    }

    static byte[] Text(long value) => Encoding.UTF8.GetBytes(value.ToString(CultureInfo.InvariantCulture));
}
