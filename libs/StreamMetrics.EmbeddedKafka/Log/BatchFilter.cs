namespace StreamMetrics.EmbeddedKafka;

/// <summary>Whether no later record has the key.</summary>
internal delegate bool LatestOfKey(ReadOnlySpan<byte> key, long offset);

/// <summary>
/// Thins one batch for a compaction. A rewritten batch keeps base offset, last offset delta, sequence and codec; its records keep their offsets. The spans
/// returned are valid until the next call.
/// </summary>
internal sealed class BatchFilter(long now, long deleteRetentionMs, LatestOfKey isLatest) : IDisposable
{
    readonly WireWriter _records = new(1 << 16);
    readonly WireWriter _record = new();
    readonly WireWriter _batch = new(1 << 16);

    /// <summary>The batch without superseded records and expired tombstones; as it was when nothing changes; empty when nothing must stay.</summary>
    public ReadOnlySpan<byte> Filter(ReadOnlySpan<byte> batch, in BatchHeader header, bool mustStay)
    {
        if (header.RecordCount == 0) return mustStay ? batch : default;
        var horizonPassed = header.HasDeleteHorizon && header.BaseTimestamp <= now;
        var (kept, tombstones) = Count(batch, header, horizonPassed);
        if (kept < 0) return batch; // Undecodable (a codec's data is broken): better whole than lost.
        if (kept == 0) return Empty(header, mustStay);
        var needsHorizon = tombstones && !header.HasDeleteHorizon;
        return kept == header.RecordCount && !needsHorizon ? batch : Rebuild(batch, header, kept, needsHorizon, horizonPassed);
    }

    /// <summary>A batch of no records, which holds its place; nothing when it need not stay.</summary>
    public ReadOnlySpan<byte> Empty(in BatchHeader header, bool mustStay)
    {
        if (!mustStay) return default;
        _records.Truncate(0);
        return Build(header, (short)(header.Attributes & ~BatchHeader.CodecMask), header.BaseTimestamp, 0);
    }

    /// <summary>A marker with its delete horizon set; its one record keeps its timestamp by its delta.</summary>
    public ReadOnlySpan<byte> WithHorizon(ReadOnlySpan<byte> batch, in BatchHeader header) => Rebuild(batch, header, header.RecordCount, setHorizon: true, horizonPassed: false, isControl: true);

    public void Dispose()
    {
        _records.Dispose();
        _record.Dispose();
        _batch.Dispose();
    }

    (int Kept, bool Tombstones) Count(ReadOnlySpan<byte> batch, in BatchHeader header, bool horizonPassed)
    {
        using var reader = new RecordReader(batch, header);
        var (kept, tombstones) = (0, false);
        while (reader.TryRead(out var record))
        {
            if (!Stays(record, header.BaseOffset, horizonPassed)) continue;
            kept++;
            tombstones |= !record.HasValue;
        }

        return reader.IsCorrupt ? (-1, false) : (kept, tombstones);
    }

    bool Stays(in RecordView record, long baseOffset, bool horizonPassed) =>
        record.HasKey && (record.HasValue || !horizonPassed) && isLatest(record.Key, baseOffset + record.OffsetDelta);

    ReadOnlySpan<byte> Rebuild(ReadOnlySpan<byte> batch, in BatchHeader header, int kept, bool setHorizon, bool horizonPassed, bool isControl = false)
    {
        var baseTimestamp = setHorizon ? now + deleteRetentionMs : header.BaseTimestamp;
        var attributes = setHorizon ? (short)(ushort)((ushort)header.Attributes | BatchHeader.DeleteHorizonBit) : header.Attributes;
        using var reader = new RecordReader(batch, header);
        _records.Truncate(0);
        while (reader.TryRead(out var record))
        {
            if (!isControl && !Stays(record, header.BaseOffset, horizonPassed)) continue;
            Write(record, header.BaseTimestamp + record.TimestampDelta - baseTimestamp);
        }

        return Build(header, attributes, baseTimestamp, kept);
    }

    void Write(in RecordView record, long timestampDelta)
    {
        _record.Truncate(0);
        _record.Byte(0);
        _record.Varint(timestampDelta);
        _record.Varint(record.OffsetDelta);
        _record.Varint(record.HasKey ? record.Key.Length : -1);
        _record.Raw(record.Key);
        _record.Varint(record.HasValue ? record.Value.Length : -1);
        _record.Raw(record.Value);
        _record.Raw(record.Headers);
        _records.Varint(_record.Length);
        _records.Raw(_record.Written);
    }

    ReadOnlySpan<byte> Build(in BatchHeader header, short attributes, long baseTimestamp, int recordCount)
    {
        _batch.Truncate(0);
        _batch.Room(BatchHeader.Size).Clear();
        _batch.Advance(BatchHeader.Size);
        Codecs.Compress(attributes & BatchHeader.CodecMask, _records.Written, _batch);
        var batch = _batch.WrittenMutable;
        BatchHeader.Write(batch, header.BaseOffset, batch.Length, attributes, header.LastOffsetDelta, baseTimestamp, header.MaxTimestamp, header.ProducerId,
            header.ProducerEpoch, header.BaseSequence, recordCount);
        BatchHeader.RenewCrc(batch);
        return batch;
    }
}
