using System.Buffers;
using System.IO.Hashing;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// One compaction, after Kafka's LogCleaner. First pass over the dirty part: the last offset of every key, by a 128-bit hash of it, leaving out aborted
/// transactions. Second pass over everything: a record stays when no later one has its key; tombstones and transaction markers that nobody needs any more
/// stay until their delete horizon (batch attribute bit 6; the horizon is in baseTimestamp). Offsets never change; the last batch of the
/// round stays even when empty, or consumers would wait at a hole below the end.
/// </summary>
internal sealed class LogCleaner : IDisposable
{
    /// <summary>Bounds the memory of one compaction to some 250 MB; what lies beyond waits for the next one.</summary>
    const int MaxKeys = 4_000_000;

    readonly string _directory;
    readonly CompactionPlan _plan;
    readonly Dictionary<UInt128, long> _lastOffsets = [];
    readonly Dictionary<long, List<AbortedTransaction>> _aborted = [];
    readonly BatchFilter _filter;

    /// <summary>Producers with data before the next marker that has been kept.</summary>
    readonly HashSet<long> _withData = [];

    readonly List<long> _droppedAborts = [];
    byte[] _buffer = ArrayPool<byte>.Shared.Rent(1 << 20);

    public LogCleaner(string directory, CompactionPlan plan)
    {
        (_directory, _plan, CleanedTo) = (directory, plan, plan.End);
        foreach (var aborted in plan.Aborted)
        {
            if (!_aborted.TryGetValue(aborted.ProducerId, out var of)) _aborted[aborted.ProducerId] = of = [];
            of.Add(aborted);
        }

        _filter = new(plan.Now, plan.Settings.DeleteRetentionMs, IsLatest);
    }

    /// <summary>Where the next compaction goes on.</summary>
    public long CleanedTo { get; private set; }

    /// <summary>Rewrites the segments run by run; each run is to be put in place before the next is asked for.</summary>
    public IEnumerable<CompactedRun> Clean()
    {
        FindLastOffsets();
        for (var next = 0; next < _plan.Segments.Length && _plan.Segments[next].BaseOffset < CleanedTo;)
        {
            var first = next;
            // Small segments grow together up to the topic's segment size.
            for (long size = 0; next < _plan.Segments.Length && _plan.Segments[next].BaseOffset < CleanedTo; next++)
            {
                size += _plan.Segments[next].Size;
                if (next > first && size > _plan.Settings.SegmentBytes) break;
            }

            yield return Rewrite(_plan.Segments[first..next], next < _plan.Segments.Length ? _plan.Segments[next].BaseOffset : _plan.End);
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _filter.Dispose();
    }

    void FindLastOffsets()
    {
        foreach (var segment in _plan.Segments)
        {
            if (segment.BaseOffset < _plan.FirstDirty) continue;
            if (_lastOffsets.Count > MaxKeys)
            {
                CleanedTo = segment.BaseOffset;
                return;
            }

            for (long position = 0; position < segment.Size;)
            {
                var batch = Read(segment, position, out var header);
                position += header.TotalSize;
                if (header.IsControl || IsAborted(header)) continue;
                using var reader = new RecordReader(batch, header);
                while (reader.TryRead(out var record))
                {
                    if (record.HasKey) _lastOffsets[XxHash128.HashToUInt128(record.Key)] = header.BaseOffset + record.OffsetDelta;
                }
            }
        }
    }

    CompactedRun Rewrite(Segment[] segments, long next)
    {
        _droppedAborts.Clear();
        var cleaned = new CleanedSegment(_directory, segments[0].BaseOffset);
        foreach (var segment in segments)
        {
            for (long position = 0; position < segment.Size;)
            {
                var batch = Read(segment, position, out var header);
                position += header.TotalSize;
                var isLast = position >= segment.Size && segment == _plan.Segments[^1];
                Rewrite(batch, header, isLast || _plan.LastBatches.Contains(header.BaseOffset), cleaned);
            }
        }

        if (cleaned.IsEmpty)
        {
            cleaned.Discard();
            return new(segments, next, null, [.. _droppedAborts]);
        }

        cleaned.Complete();
        return new(segments, next, cleaned, [.. _droppedAborts]);
    }

    void Rewrite(ReadOnlySpan<byte> batch, in BatchHeader header, bool mustStay, CleanedSegment into)
    {
        if (header.IsControl)
        {
            RewriteMarker(batch, header, mustStay, into);
            return;
        }

        var kept = IsAborted(header) ? _filter.Empty(header, mustStay) : _filter.Filter(batch, header, mustStay);
        if (kept.IsEmpty) return;
        var rewritten = BatchHeader.Read(kept);
        if (header.IsTransactional && rewritten.RecordCount > 0) _withData.Add(header.ProducerId);
        into.Add(kept, rewritten);
    }

    /// <summary>A marker may go once no data of its transaction is left before it, and its delete horizon has passed.</summary>
    void RewriteMarker(ReadOnlySpan<byte> batch, in BatchHeader header, bool mustStay, CleanedSegment into)
    {
        if (_withData.Remove(header.ProducerId) || header.RecordCount == 0)
        {
            if (header.RecordCount > 0 || mustStay) into.Add(batch, header);
            return;
        }

        if (!header.HasDeleteHorizon)
        {
            var marked = _filter.WithHorizon(batch, header);
            into.Add(marked, BatchHeader.Read(marked));
            return;
        }

        if (header.BaseTimestamp > _plan.Now)
        {
            into.Add(batch, header);
            return;
        }

        if (!PartitionLog.IsCommitMarker(batch, header)) _droppedAborts.Add(header.LastOffset);
        var empty = _filter.Empty(header, mustStay);
        if (!empty.IsEmpty) into.Add(empty, BatchHeader.Read(empty));
    }

    bool IsLatest(ReadOnlySpan<byte> key, long offset) => !_lastOffsets.TryGetValue(XxHash128.HashToUInt128(key), out var last) || offset >= last;

    bool IsAborted(in BatchHeader header)
    {
        if (!header.IsTransactional || !_aborted.TryGetValue(header.ProducerId, out var of)) return false;
        foreach (var aborted in of)
        {
            if (header.BaseOffset >= aborted.FirstOffset && header.BaseOffset < aborted.MarkerOffset) return true;
        }

        return false;
    }

    ReadOnlySpan<byte> Read(Segment segment, long position, out BatchHeader header)
    {
        RandomAccess.Read(segment.File, _buffer.AsSpan(0, BatchHeader.Size), position);
        header = BatchHeader.Read(_buffer);
        if (header.TotalSize > _buffer.Length)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(header.TotalSize);
        }

        var batch = _buffer.AsSpan(0, header.TotalSize);
        RandomAccess.Read(segment.File, batch, position);
        return batch;
    }
}
