namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// Builds an uncompressed record batch: the broker's own records (offsets, groups, transactions) and control markers. Record layout
/// (Kafka documentation, "Record"): length varint, attributes i8, timestampDelta varint, offsetDelta varint, key, value, headers.
/// </summary>
internal sealed class BatchBuilder : IDisposable
{
    readonly WireWriter _batch = new();
    readonly WireWriter _record = new(512);
    int _count;
    long _timestamp;

    /// <summary>Starts a batch at a time (ms since the epoch).</summary>
    public BatchBuilder Start(long timestamp)
    {
        _batch.Truncate(0);
        _batch.Room(BatchHeader.Size).Clear();
        _batch.Advance(BatchHeader.Size);
        _count = 0;
        _timestamp = timestamp;
        return this;
    }

    public bool IsEmpty => _count == 0;

    /// <summary>Adds a record; a default value means null, a tombstone.</summary>
    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool tombstone = false)
    {
        _record.Truncate(0);
        _record.Byte(0);
        _record.Varint(0);
        _record.Varint(_count++);
        _record.Varint(key.Length);
        _record.Raw(key);
        _record.Varint(tombstone ? -1 : value.Length);
        _record.Raw(value);
        _record.Varint(0);
        _batch.Varint(_record.Length);
        _batch.Raw(_record.Written);
    }

    /// <summary>Completes the batch; the span is valid until the next <see cref="Start"/>.</summary>
    public Span<byte> Finish(long producerId = -1, short producerEpoch = -1, short attributes = 0)
    {
        var batch = _batch.WrittenMutable;
        BatchHeader.Write(batch, 0, batch.Length, attributes, _count - 1, _timestamp, _timestamp, producerId, producerEpoch, -1, _count);
        BatchHeader.RenewCrc(batch);
        return batch;
    }

    /// <summary>The control batch that ends a transaction on a partition: key {version 0, type}, value {version 0, coordinator epoch}.</summary>
    public Span<byte> Marker(long timestamp, long producerId, short producerEpoch, bool commit)
    {
        Start(timestamp).Add([0, 0, 0, commit ? (byte)1 : (byte)0], [0, 0, 0, 0, 0, 0]);
        return Finish(producerId, producerEpoch, BatchHeader.TransactionalBit | BatchHeader.ControlBit);
    }

    public void Dispose()
    {
        _batch.Dispose();
        _record.Dispose();
    }
}
