using System.Runtime.CompilerServices;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>A batch a producer wrote: enough to recognise it when it is sent again.</summary>
internal record struct WrittenBatch(int FirstSequence, int LastSequence, long BaseOffset, long Timestamp);

[InlineArray(Count)]
internal struct LastBatches
{
    /// <summary>Producers keep at most five requests in flight, so a resent batch is one of the last five.</summary>
    public const int Count = 5;

    WrittenBatch _first;
}

/// <summary>What one partition knows of one idempotent producer.</summary>
internal sealed class ProducerEntry
{
    LastBatches _batches;

    public required long ProducerId { get; init; }

    public short Epoch { get; set; }

    /// <summary>Number of remembered batches, oldest first.</summary>
    public int BatchCount { get; private set; }

    public long LastTimestamp { get; set; }

    /// <summary>Offset of the first record of the open transaction, -1 when none is open.</summary>
    public long TransactionStart { get; set; } = -1;

    /// <summary>Sequence of the last record, -1 when no batch is remembered (new producer, or new epoch).</summary>
    public int LastSequence => BatchCount == 0 ? -1 : _batches[BatchCount - 1].LastSequence;

    public WrittenBatch this[int index] => _batches[index];

    public void Remember(in WrittenBatch batch)
    {
        if (BatchCount == LastBatches.Count)
        {
            for (var i = 1; i < LastBatches.Count; i++) _batches[i - 1] = _batches[i];
            BatchCount--;
        }

        _batches[BatchCount++] = batch;
        LastTimestamp = batch.Timestamp;
    }

    public void StartEpoch(short epoch)
    {
        Epoch = epoch;
        BatchCount = 0;
    }

    /// <summary>The base offset the same batch was stored at before, or -1.</summary>
    public long FindDuplicate(int firstSequence, int lastSequence)
    {
        for (var i = 0; i < BatchCount; i++)
        {
            if (_batches[i].FirstSequence == firstSequence && _batches[i].LastSequence == lastSequence) return _batches[i].BaseOffset;
        }

        return -1;
    }
}

/// <summary>A transaction that was aborted on a partition: consumers skip its data between the two offsets.</summary>
/// <param name="ProducerId">Who wrote it.</param>
/// <param name="FirstOffset">Its first record.</param>
/// <param name="MarkerOffset">Its ABORT marker.</param>
internal readonly record struct AbortedTransaction(long ProducerId, long FirstOffset, long MarkerOffset);

/// <summary>
/// Sequences, epochs and open transactions of every producer of one partition. Single owner: the partition's lock. The rules are Kafka's
/// (ProducerAppendInfo): a resent batch is recognised among the last five; a gap is refused; an unknown producer may start anywhere,
/// because retention may have removed what was known of it.
/// </summary>
internal sealed class ProducerStates
{
    readonly Dictionary<long, ProducerEntry> _entries = [];
    readonly Dictionary<long, long> _open = [];

    /// <summary>Aborted transactions in the order of their markers.</summary>
    public List<AbortedTransaction> Aborted { get; private set; } = [];

    public IReadOnlyCollection<ProducerEntry> Entries => _entries.Values;

    /// <summary>First offset of the oldest open transaction, or -1: what read_committed consumers may not pass.</summary>
    public long FirstUnstable { get; private set; } = -1;

    public bool HasOpenTransaction(long producerId) => _open.ContainsKey(producerId);

    /// <summary>Checks a batch against what is known; <paramref name="duplicateOf"/> is the earlier offset of a resent batch, else -1.</summary>
    public ErrorCode Check(in BatchHeader batch, out long duplicateOf)
    {
        duplicateOf = -1;
        if (!_entries.TryGetValue(batch.ProducerId, out var entry)) return ErrorCode.None;
        if (batch.ProducerEpoch < entry.Epoch) return ErrorCode.InvalidProducerEpoch;
        if (entry.TransactionStart >= 0 && !batch.IsTransactional) return ErrorCode.InvalidTxnState;
        if (batch.ProducerEpoch > entry.Epoch) return batch.BaseSequence == 0 ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;

        duplicateOf = entry.FindDuplicate(batch.BaseSequence, batch.LastSequence);
        if (duplicateOf >= 0) return ErrorCode.None;
        var expected = entry.LastSequence == int.MaxValue ? 0 : entry.LastSequence + 1;
        return batch.BaseSequence == expected ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;
    }

    /// <summary>Takes note of a data batch that was (or, in recovery, had been) appended.</summary>
    public void Appended(in BatchHeader batch, long timestamp)
    {
        var entry = Entry(batch.ProducerId, batch.ProducerEpoch);
        if (batch.ProducerEpoch != entry.Epoch) entry.StartEpoch(batch.ProducerEpoch);
        if (batch.BaseSequence >= 0) entry.Remember(new(batch.BaseSequence, batch.LastSequence, batch.BaseOffset, timestamp));
        else entry.LastTimestamp = timestamp;
        // A batch that compaction has emptied belongs to a transaction that ended long ago; its marker may be gone.
        if (!batch.IsTransactional || batch.RecordCount == 0 || entry.TransactionStart >= 0) return;
        Open(entry, batch.BaseOffset);
    }

    /// <summary>Ends a producer's transaction here. Returns whether there was one.</summary>
    public bool Ended(long producerId, short epoch, long markerOffset, bool commit, long timestamp)
    {
        var entry = Entry(producerId, epoch);
        if (epoch > entry.Epoch) entry.StartEpoch(epoch);
        entry.LastTimestamp = timestamp;
        if (entry.TransactionStart < 0) return false;

        // The aborted entry must be visible before the last stable offset moves: readers take both under the same lock.
        if (!commit) Aborted.Add(new(producerId, entry.TransactionStart, markerOffset));
        entry.TransactionStart = -1;
        _open.Remove(producerId);
        FirstUnstable = -1;
        foreach (var start in _open.Values)
        {
            if (FirstUnstable < 0 || start < FirstUnstable) FirstUnstable = start;
        }

        return true;
    }

    public void Restore(ProducerEntry entry)
    {
        _entries[entry.ProducerId] = entry;
        if (entry.TransactionStart >= 0) Open(entry, entry.TransactionStart);
    }

    /// <summary>Forgets producers that have been idle since before a time; one with an open transaction is kept.</summary>
    public void Expire(long before)
    {
        foreach (var (id, entry) in _entries)
        {
            if (entry.LastTimestamp < before && entry.TransactionStart < 0) _entries.Remove(id);
        }
    }

    /// <summary>Base offset of the newest batch of each producer.</summary>
    public HashSet<long> LastBatchOffsets()
    {
        var offsets = new HashSet<long>();
        foreach (var entry in _entries.Values)
        {
            if (entry.BatchCount > 0) offsets.Add(entry[entry.BatchCount - 1].BaseOffset);
        }

        return offsets;
    }

    /// <summary>Forgets aborted transactions whose markers a compaction has removed.</summary>
    public void ForgetAborted(List<long> markers)
    {
        if (markers.Count > 0) Aborted.RemoveAll(aborted => markers.Contains(aborted.MarkerOffset));
    }

    public void ForgetAbortedBelow(long offset) => Aborted.RemoveAll(aborted => aborted.MarkerOffset < offset);

    public void Clear()
    {
        _entries.Clear();
        _open.Clear();
        Aborted = [];
        FirstUnstable = -1;
    }

    ProducerEntry Entry(long producerId, short epoch)
    {
        if (_entries.TryGetValue(producerId, out var entry)) return entry;
        entry = new() { ProducerId = producerId, Epoch = epoch };
        _entries.Add(producerId, entry);
        return entry;
    }

    void Open(ProducerEntry entry, long offset)
    {
        entry.TransactionStart = offset;
        _open[entry.ProducerId] = offset;
        if (FirstUnstable < 0 || offset < FirstUnstable) FirstUnstable = offset;
    }
}
