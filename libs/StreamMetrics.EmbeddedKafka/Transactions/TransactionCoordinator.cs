using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// Transactions, kept in memory and in <c>__transaction_state</c>. Ending one is synchronous under the transaction's lock: the decision is
/// written, then the markers on every partition, then completion; a start finishes what a crash left decided. Protocol: KIP-98, fencing
/// KIP-360, verification of late batches KIP-890 part 1. Order of locks: transaction, group, log.
/// </summary>
internal sealed class TransactionCoordinator(
    PartitionLog log, TopicRegistry topics, GroupCoordinator groups, ProducerIds ids, TimeProvider time, EmbeddedKafkaOptions options, ILogger logger) : IDisposable
{
    /// <summary>The last epoch a producer may get; the next one needs a new producer id.</summary>
    const short LastEpoch = short.MaxValue - 1;

    readonly ConcurrentDictionary<string, TransactionState> _states = new();
    readonly Lock _writeGate = new();
    readonly BatchBuilder _batch = new();
    readonly WireWriter _key = new(256);
    readonly WireWriter _value = new(1024);

    long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public TransactionState? Find(string id) => _states.GetValueOrDefault(id);

    /// <summary>Reads the log and rolls decided transactions forward; writing a marker twice is harmless.</summary>
    public void Load()
    {
        log.ForEachBatch(Replay);
        foreach (var state in _states.Values)
        {
            lock (state.Gate) CompleteIfDecided(state);
        }
    }

    /// <summary>InitProducerId with a transactional id: fences whoever held it and aborts what he left open.</summary>
    public (ErrorCode Error, long ProducerId, short Epoch) Init(string id, int timeoutMs, long expectedId, short expectedEpoch)
    {
        if (id.Length == 0) return (ErrorCode.InvalidRequest, -1, -1);
        if (timeoutMs <= 0 || timeoutMs > options.TransactionMaxTimeout.TotalMilliseconds) return (ErrorCode.InvalidTransactionTimeout, -1, -1);
        while (true)
        {
            var state = _states.GetOrAdd(id, static key => new(key));
            lock (state.Gate)
            {
                if (state.Status == TransactionStatus.Dead) continue;
                var retry = expectedId >= 0 && expectedId == state.ProducerId && expectedEpoch == state.LastEpoch && state.LastEpoch >= 0;
                if (expectedId >= 0 && state.ProducerId >= 0 && !retry && (expectedId != state.ProducerId || expectedEpoch != state.ProducerEpoch))
                    return (ErrorCode.ProducerFenced, -1, -1);
                if (retry && state.Status != TransactionStatus.Ongoing) return (ErrorCode.None, state.ProducerId, state.ProducerEpoch);

                // Bumped before the abort, so that the markers carry the new epoch and fence the old producer on every partition.
                if (state.Status == TransactionStatus.Ongoing) Abort(state);
                Change(state, () =>
                {
                    Bump(state);
                    (state.TimeoutMs, state.Status, state.StartedAt) = (timeoutMs, TransactionStatus.Empty, -1);
                });
                return (ErrorCode.None, state.ProducerId, state.ProducerEpoch);
            }
        }
    }

    /// <summary>Registers partitions with the open transaction, opening it with the first.</summary>
    public ErrorCode Add(string id, long producerId, short epoch, IReadOnlyCollection<PartitionId> partitions)
    {
        if (id.Length == 0) return ErrorCode.InvalidRequest;
        if (Find(id) is not { } state) return ErrorCode.InvalidProducerIdMapping;
        lock (state.Gate)
        {
            var error = Check(state, producerId, epoch);
            if (error != ErrorCode.None) return error;
            if (state.Status == TransactionStatus.Ongoing && partitions.All(state.Partitions.Contains)) return ErrorCode.None;
            Change(state, () =>
            {
                if (state.Status != TransactionStatus.Ongoing) (state.Status, state.StartedAt) = (TransactionStatus.Ongoing, Now);
                state.Partitions.UnionWith(partitions);
            });
            return ErrorCode.None;
        }
    }

    public ErrorCode End(string id, long producerId, short epoch, bool commit)
    {
        if (id.Length == 0) return ErrorCode.InvalidRequest;
        if (Find(id) is not { } state) return ErrorCode.InvalidProducerIdMapping;
        lock (state.Gate)
        {
            var error = Check(state, producerId, epoch);
            if (error != ErrorCode.None) return error;
            switch (state.Status)
            {
                case TransactionStatus.Ongoing:
                    Finish(state, commit);
                    return ErrorCode.None;
                case TransactionStatus.CompleteCommit when commit:
                case TransactionStatus.CompleteAbort when !commit:
                    return ErrorCode.None;
                default:
                    return ErrorCode.InvalidTxnState;
            }
        }
    }

    /// <summary>
    /// Whether a write may be part of the open transaction of its producer. The caller holds the state's lock and writes before it lets go, so that the end
    /// of the transaction can not come in between.
    /// </summary>
    public static ErrorCode CheckOpen(TransactionState state, long producerId, short epoch, PartitionId partition)
    {
        if (state.ProducerId != producerId) return ErrorCode.InvalidProducerIdMapping;
        if (epoch != state.ProducerEpoch) return ErrorCode.InvalidProducerEpoch;
        return state.Status == TransactionStatus.Ongoing && state.Partitions.Contains(partition) ? ErrorCode.None : ErrorCode.InvalidTxnState;
    }

    /// <summary>Aborts what is open for longer than its timeout, and forgets ids that have not been used for long.</summary>
    public void Tick()
    {
        var now = Now;
        foreach (var state in _states.Values)
        {
            lock (state.Gate)
            {
                CompleteIfDecided(state);
                if (state.Status == TransactionStatus.Ongoing && state.StartedAt + state.TimeoutMs < now)
                {
                    Log.TransactionTimedOut(logger, state.Id);
                    Abort(state);
                }
                else if (state.Status != TransactionStatus.Ongoing && state.UpdatedAt < now - (long)options.TransactionalIdExpiration.TotalMilliseconds)
                {
                    state.Status = TransactionStatus.Dead;
                    Forget(state);
                    _states.TryRemove(state.Id, out _);
                }
            }
        }
    }

    public void Dispose()
    {
        _batch.Dispose();
        _key.Dispose();
        _value.Dispose();
    }

    static ErrorCode Check(TransactionState state, long producerId, short epoch)
    {
        if (state.ProducerId != producerId) return ErrorCode.InvalidProducerIdMapping;
        if (state.ProducerEpoch != epoch) return ErrorCode.ProducerFenced;
        return state.Status is TransactionStatus.PrepareCommit or TransactionStatus.PrepareAbort ? ErrorCode.ConcurrentTransactions : ErrorCode.None;
    }

    /// <summary>Aborts on the broker's own account, under an epoch the producer does not have.</summary>
    void Abort(TransactionState state)
    {
        if (state.ProducerEpoch < short.MaxValue) state.ProducerEpoch++;
        state.LastEpoch = -1;
        Finish(state, commit: false);
    }

    /// <summary>Whoever sees a decided transaction under its lock sees one whose completion failed (a full disk) or was cut off by a crash.</summary>
    void CompleteIfDecided(TransactionState state)
    {
        if (state.Status == TransactionStatus.PrepareCommit) Complete(state, commit: true);
        else if (state.Status == TransactionStatus.PrepareAbort) Complete(state, commit: false);
    }

    void Finish(TransactionState state, bool commit)
    {
        Change(state, () => state.Status = commit ? TransactionStatus.PrepareCommit : TransactionStatus.PrepareAbort);
        Complete(state, commit);
    }

    /// <summary>
    /// Changes a transaction and writes it. What cannot be written (a full disk) is taken back: were memory to know more than the log, a start after a kill
    /// could decide a transaction otherwise than it was answered, or leave one open that nobody ends.
    /// </summary>
    /// <exception cref="IOException">The log does not take the record.</exception>
    void Change(TransactionState state, Action change)
    {
        var before = state.Take();
        change();
        try
        {
            Save(state);
        }
        catch
        {
            state.Put(before);
            throw;
        }
    }

    void Complete(TransactionState state, bool commit)
    {
        using var builder = new BatchBuilder();
        var touchedOffsets = false;
        foreach (var partition in state.Partitions)
        {
            topics.Find(partition.Topic, partition.Partition)?.AppendMarker(builder, state.ProducerId, state.ProducerEpoch, commit, Now);
            touchedOffsets |= partition.Topic == TopicRegistry.Offsets;
        }

        if (touchedOffsets) groups.TransactionEnded(state.ProducerId, commit);
        state.Partitions.Clear();
        (state.Status, state.StartedAt) = (commit ? TransactionStatus.CompleteCommit : TransactionStatus.CompleteAbort, -1);
        Save(state);
    }

    void Bump(TransactionState state)
    {
        if (state.ProducerId < 0 || state.ProducerEpoch >= LastEpoch)
        {
            (state.ProducerId, state.ProducerEpoch, state.LastEpoch) = (ids.Next(), 0, -1);
            return;
        }

        state.LastEpoch = state.ProducerEpoch;
        state.ProducerEpoch++;
    }

    void Save(TransactionState state)
    {
        state.UpdatedAt = Now;
        lock (_writeGate)
        {
            StartRecord(state);
            TransactionRecords.Value(_value, state);
            _batch.Add(_key.Written, _value.Written);
            WriteBatch();
        }
    }

    void Forget(TransactionState state)
    {
        lock (_writeGate)
        {
            StartRecord(state);
            _batch.Add(_key.Written, default, tombstone: true);
            WriteBatch();
        }
    }

    void StartRecord(TransactionState state)
    {
        _key.Truncate(0);
        _value.Truncate(0);
        _batch.Start(Now);
        TransactionRecords.Key(_key, state.Id);
    }

    void WriteBatch()
    {
        var batch = _batch.Finish();
        var error = log.Append(batch, BatchHeader.Read(batch), Now).Error;
        if (error != ErrorCode.None) throw new IOException($"The transaction log cannot be written: {error}.");
    }

    void Replay(ReadOnlySpan<byte> batch, in BatchHeader header)
    {
        using var reader = new RecordReader(batch, header);
        while (reader.TryRead(out var record))
        {
            var id = TransactionRecords.ReadKey(record.Key);
            if (record.HasValue) TransactionRecords.Read(record.Value, _states.GetOrAdd(id, static key => new(key)));
            else _states.TryRemove(id, out _);
        }
    }
}
