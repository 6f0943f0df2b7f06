using System.Text.Json;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.LoadGenerator.Sending;
using StreamMetrics.LoadGenerator.Simulation;

namespace StreamMetrics.LoadGenerator.Ledger;

/// <summary>
/// Counts own events of the topic from the offsets of the ledger on: those that were appended, but whose acknowledgement an earlier run did not
/// live to write down.
/// </summary>
/// <remarks>
/// What a killed process had handed to the network may still be appended for a moment: the count ends when the topic has had no new
/// event of ours for <see cref="Quiet"/>.
/// </remarks>
sealed class TopicRecount(string bootstrapServers, IReadOnlyDictionary<string, string> security, WindowLedger ledger, EventIds ids, TimeProvider time, ILogger logger)
{
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>Sets the ledger's offsets to the ends of the partitions: a new ledger counts from here on.</summary>
    /// <exception cref="KafkaException">Kafka did not answer as hoped.</exception>
    public void StartAtTheEnd()
    {
        using var consumer = CreateConsumer();
        ledger.SetOffsets([.. Partitions(consumer).Select(p => End(consumer, p))]);
    }

    /// <summary>Counts; blocks until done.</summary>
    /// <exception cref="KafkaException">Kafka did not answer as hoped. What was counted so far stays counted; call again to go on.</exception>
    public void Run(CancellationToken stopping)
    {
        using var consumer = CreateConsumer();
        var partitions = Partitions(consumer);
        ledger.SetOffsets([.. partitions.Select((p, i) => FirstToRead(consumer, p, i < ledger.NextOffsets.Count ? ledger.NextOffsets[i] : 0))]);
        var position = ledger.NextOffsets.ToArray();
        consumer.Assign(partitions.Select((p, i) => new TopicPartitionOffset(p, position[i])));
        var lastFound = time.GetTimestamp();
        while (time.GetElapsedTime(lastFound) < Quiet)
        {
            if (ReadTo([.. partitions.Select(p => End(consumer, p))], position, consumer, stopping)) lastFound = time.GetTimestamp();
        }
    }

    /// <summary>True when there were events of ours.</summary>
    bool ReadTo(long[] ends, long[] position, IConsumer<Ignore, byte[]?> consumer, CancellationToken stopping)
    {
        var found = false;
        var lastProgress = time.GetTimestamp();
        do
        {
            stopping.ThrowIfCancellationRequested();
            var result = consumer.Consume(TimeSpan.FromMilliseconds(50));
            if (result is not null)
            {
                lastProgress = time.GetTimestamp();
                position[result.Partition.Value] = result.Offset.Value + 1;
                if (!result.IsPartitionEOF) found |= Count(result);
            }
            else if (time.GetElapsedTime(lastProgress) > Timeout)
            {
                throw new KafkaException(new Error(ErrorCode.Local_TimedOut, $"Reading {Topics.Events} did not reach its end within {Timeout.TotalSeconds} s."));
            }
        }
        while (position.Zip(ends).Any(p => p.First < p.Second));
        return found;
    }

    bool Count(ConsumeResult<Ignore, byte[]?> record)
    {
        // A replay carries an event of ours for the second time, and not from us.
        if (record.Message.Value is not { } value || record.Message.Headers?.Any(h => h.Key == KafkaHeaders.Replay) is true) return false;
        const int IdStart = SimulatedSeries.EventIdStart;
        if (value.Length < IdStart + SimulatedSeries.EventIdLength || !ids.TryRead(value.AsSpan(IdStart, SimulatedSeries.EventIdLength), out var kind))
            return false;
        if (value.AsSpan().EndsWith(EventComposer.SecondAttempt)) kind = EventKind.Duplicate;
        var (metric, timestamp, number) = kind is EventKind.Valid or EventKind.Corrected ? Parse(value) : default;
        ledger.Acknowledged(kind, metric, timestamp, number, record.Partition.Value, record.Offset.Value);
        return true;
    }

    (int Metric, long Timestamp, double Value) Parse(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var metric = ledger.Metric(root.GetProperty("serviceId").GetString()!, root.GetProperty("metricName").GetString()!);
        return (metric, root.GetProperty("timestamp").GetInt64(), root.GetProperty("value").GetDouble());
    }

    long FirstToRead(IConsumer<Ignore, byte[]?> consumer, TopicPartition partition, long offset)
    {
        var (low, high) = (consumer.QueryWatermarkOffsets(partition, Timeout).Low.Value, End(consumer, partition));
        if (offset >= low && offset <= high) return offset;
        Log.LedgerOffsetGone(logger, partition.Partition.Value, offset, low, high);
        return Math.Clamp(offset, low, high);
    }

    static long End(IConsumer<Ignore, byte[]?> consumer, TopicPartition partition) => consumer.QueryWatermarkOffsets(partition, Timeout).High.Value;

    IConsumer<Ignore, byte[]?> CreateConsumer() => new ConsumerBuilder<Ignore, byte[]?>(new ConsumerConfig(new Dictionary<string, string>(security))
    {
        BootstrapServers = bootstrapServers,
        // No group is joined and no offset committed; the client wants a name nevertheless.
        GroupId = "streammetrics-load-generator",
        EnableAutoCommit = false,
        EnablePartitionEof = true,
        AutoOffsetReset = AutoOffsetReset.Error,
        FetchWaitMaxMs = 50,
    }).SetLogHandler((_, message) => Log.Kafka(logger, message.Message)).Build();

    static TopicPartition[] Partitions(IConsumer<Ignore, byte[]?> consumer)
    {
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var found = admin.GetMetadata(Topics.Events, Timeout).Topics.Single(t => t.Topic == Topics.Events);
        if (found.Error.IsError) throw new KafkaException(found.Error);
        return [.. found.Partitions.OrderBy(p => p.PartitionId).Select(p => new TopicPartition(Topics.Events, p.PartitionId))];
    }
}
