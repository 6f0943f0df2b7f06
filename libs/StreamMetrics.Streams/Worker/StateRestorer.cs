using Confluent.Kafka;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>A partition brought back to its last commit.</summary>
/// <param name="Engine">Engine with the restored state; the caller owns it.</param>
/// <param name="Position">Input offset to go on from.</param>
/// <param name="Records">State records read.</param>
sealed record RestoredPartition(PartitionEngine Engine, long Position, long Records);

/// <summary>
/// Brings a partition back to its last commit. The order matters: (1) the producer fences the previous owner, so nothing can be added any
/// more; (2) the committed input offset; (3) the end of the state log, asked for read-uncommitted, because the read-committed end may lie
/// before a commit whose markers are still being written; (4) the state is read, committed records only, until that end; (5) the offset in
/// the state must be the committed one.
/// </summary>
sealed unsafe class StateRestorer : IDisposable
{
    const int BatchSize = 4_096;
    static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(100);

    readonly WorkerOptions _options;
    readonly TimeProvider _time;
    readonly IConsumer<Ignore, Ignore> _uncommitted;
    readonly IConsumer<Ignore, Ignore> _stable;

    /// <summary>A restorer for all partitions of a worker; its clients may be used from several threads.</summary>
    /// <param name="options">Options.</param>
    /// <param name="time">Clock for timeouts.</param>
    public StateRestorer(WorkerOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _uncommitted = Build(IsolationLevel.ReadUncommitted);
        _stable = Build(IsolationLevel.ReadCommitted);
    }

    /// <summary>Steps 1 to 5. Blocks.</summary>
    /// <param name="partition">Input partition.</param>
    /// <param name="producer">A new producer of the partition.</param>
    /// <param name="cancel">Set when the partition is no longer wanted.</param>
    /// <exception cref="StateCorruptedException">The state does not fit the offset, or reading failed; a new attempt may succeed.</exception>
    /// <exception cref="PartitionLostException">Another instance fenced ours meanwhile.</exception>
    public RestoredPartition Restore(int partition, PartitionProducer producer, CancellationToken cancel)
    {
        producer.Open();
        cancel.ThrowIfCancellationRequested();
        try
        {
            var input = new TopicPartition(Topics.Events, partition);
            var state = new TopicPartition(Topics.State, partition);
            var offset = _stable.Committed([input], _options.TransactionTimeout)[0].Offset;
            var mark = _uncommitted.QueryWatermarkOffsets(state, _options.TransactionTimeout);
            var engine = new PartitionEngine(partition, _options.Engine);
            if (mark.High.Value > mark.Low.Value) Read(state, mark, engine, cancel);
            var result = engine.CompleteRestore();
            return new(engine, StartOf(input, offset, result), result.Records);
        }
        catch (KafkaException e)
        {
            throw KafkaFailures.Translate(e, "Restoring", partition);
        }
    }

    /// <summary>Closes the clients.</summary>
    public void Dispose()
    {
        _uncommitted.Dispose();
        _stable.Dispose();
    }

    IConsumer<Ignore, Ignore> Build(IsolationLevel isolation) =>
        new ConsumerBuilder<Ignore, Ignore>(ClientSettings.Reader(_options, isolation))
            .SetErrorHandler(static (_, _) => { }) // calls report their own errors
            .SetLogHandler(static (_, _) => { })
            .Build();

    void Read(TopicPartition state, WatermarkOffsets marks, PartitionEngine engine, CancellationToken cancel)
    {
        using var consumer = Build(IsolationLevel.ReadCommitted);
        // A client that is given a partition whose leader it has not heard of, or an offset that it must ask for, tries again half a second later.
        consumer.QueryWatermarkOffsets(state, _options.TransactionTimeout);
        consumer.Assign(new TopicPartitionOffset(state, marks.Low));
        var mark = marks.High.Value;
        using var reader = new BatchReader(consumer, BatchSize);
        var progress = _time.GetTimestamp();
        for (var reached = false; !reached;)
        {
            cancel.ThrowIfCancellationRequested();
            reader.Read(PollTime);
            if (reader.Count > 0) progress = _time.GetTimestamp();
            else if (_time.GetElapsedTime(progress) > 2 * _options.TransactionTimeout)
                throw new StateCorruptedException($"Partition {engine.Partition} of {Topics.State} could not be read up to offset {mark} in time.");

            for (var i = 0; i < reader.Count; i++) reached |= Apply(reader[i], mark, engine);
            reader.Release();
        }
    }

    /// <summary>True when everything before the mark has been read.</summary>
    static bool Apply(Librdkafka.Message* message, long mark, PartitionEngine engine)
    {
        switch (message->Error)
        {
            case ErrorCode.NoError:
                engine.Restore(new(message->Key, (int)message->KeyLength), new(message->Value, (int)message->ValueLength));
                return message->Offset + 1 >= mark;
            case ErrorCode.Local_PartitionEOF:
                // Not the end as long as the last stable offset lies before the mark: markers are still on their way.
                return message->Offset >= mark;
            default:
                throw new KafkaException(new Error(message->Error, Librdkafka.ErrorOf(message)));
        }
    }

    long StartOf(TopicPartition input, Offset committed, in RestoreResult result)
    {
        if (_options.Delivery == DeliveryGuarantee.ExactlyOnce && committed.Value != (result.HasMeta ? result.Position : Offset.Unset.Value))
        {
            throw new StateCorruptedException(
                $"Partition {input.Partition.Value}: the state topic {Topics.State} stands at {(result.HasMeta ? $"input offset {result.Position}" : "no input offset")}, "
                + $"the group {_options.GroupId} committed {(committed == Offset.Unset ? "none" : committed.Value)}. Both are written in one transaction: "
                + "someone changed the group's offsets, or deleted the topic.");
        }

        // At least once, the state (flushed first) may be ahead of the committed offset; it knows what it holds.
        if (result.HasMeta) return result.Position;
        return committed != Offset.Unset ? committed.Value : _uncommitted.QueryWatermarkOffsets(input, _options.TransactionTimeout).Low.Value;
    }
}
