using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>Turns what the engine writes into records of the output topics.</summary>
/// <param name="producer">Producer of the partition, in a commit.</param>
/// <param name="commit">Context of this commit; null when it is not traced.</param>
/// <param name="catalog">What is known of services, if there is a catalog.</param>
sealed class CommitOutput(PartitionProducer producer, ActivityContext? commit, IServiceCatalog? catalog = null) : IEngineOutput
{
    /// <summary>Most aggregates of a commit that are followed further.</summary>
    const int MaxTraced = 16;

    static readonly byte[] TopicHeader = Encoding.UTF8.GetBytes(Topics.Events);

    readonly byte[] _partitionHeader = Text(producer.Partition);
    readonly bool _isTraced = Tracing.Source.HasListeners();
    readonly byte[]? _commit = commit is { } context ? Tracing.TraceParent(context) : null;
    int _traced;

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
        var topic = Topics.Aggregated(window);
        producer.Send(topic, Partition.Any, new() { Key = key.ToArray(), Value = value.ToArray(), Headers = HeadersOf(topic, key, value) });
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

    /// <summary>What stands beside an aggregate: the way on for those who follow an event, and what is known of the service.</summary>
    /// <param name="topic">Topic of the aggregate.</param>
    /// <param name="service">Key of the record: the service's id.</param>
    /// <param name="value">The aggregate as JSON.</param>
    Headers? HeadersOf(string topic, ReadOnlySpan<byte> service, ReadOnlySpan<byte> value)
    {
        var trace = _isTraced ? Follow(topic, value) : null;
        var attributes = catalog?.Find(service);
        if (trace is null && attributes is null) return null;
        var headers = new Headers();
        if (trace is not null) headers.Add(TraceHeaders.TraceParent, trace);
        if (attributes is not null) headers.Add(KafkaHeaders.Catalog, attributes);
        return headers;
    }

    /// <summary>Leads on from the event that stands for the window; else from the commit.</summary>
    byte[]? Follow(string topic, ReadOnlySpan<byte> value)
    {
        if (_traced >= MaxTraced || Tracing.Send(topic, value, commit) is not { } context) return _commit;
        _traced++;
        return Tracing.TraceParent(context);
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

    static byte[] Text(long value) => Encoding.UTF8.GetBytes(value.ToString(CultureInfo.InvariantCulture));
}
