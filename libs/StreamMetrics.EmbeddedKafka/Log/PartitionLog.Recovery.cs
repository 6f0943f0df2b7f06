using System.Buffers;
using System.Globalization;

namespace StreamMetrics.EmbeddedKafka;

internal sealed partial class PartitionLog
{
    const int ScanBufferBytes = 1 << 20;

    /// <summary>Enough for any control batch: header, and one record of small varints, a key of 4 and a value of 6 bytes.</summary>
    const int MaxMarkerBytes = 128;

    /// <summary>
    /// Opens the log of a directory. Complete segments come from their index files; the last one, which a crash may have torn, is scanned, and cut at
    /// the first batch that is incomplete or whose CRC is wrong. Such damage anywhere else is not a crash's and stops the start.
    /// </summary>
    /// <param name="startOffset">First offset, where DeleteRecords has moved it.</param>
    /// <param name="now">Current time, ms: producers found in the log have their whole expiry time from here.</param>
    /// <exception cref="InvalidDataException">A segment other than the last is damaged.</exception>
    public void Open(long startOffset, long now)
    {
        Directory.CreateDirectory(_directory);
        CompactionFiles.FinishInterrupted(_directory);
        var offsets = new List<long>();
        foreach (var file in Directory.EnumerateFiles(_directory, "*.log"))
        {
            offsets.Add(long.Parse(Path.GetFileNameWithoutExtension(file), CultureInfo.InvariantCulture));
        }

        offsets.Sort();
        if (offsets.Count == 0) offsets.Add(startOffset);
        var segments = new Segment[offsets.Count];
        for (var i = 0; i < segments.Length; i++)
        {
            segments[i] = Segment.Open(_directory, offsets[i]);
            if (!SegmentIndexFile.TryRestore(segments[i])) Scan(segments[i], isLast: i == segments.Length - 1);
        }

        _segments = segments;
        _endOffset = Active.NextOffset;
        _startOffset = Math.Max(startOffset, segments[0].BaseOffset);
        if (_startOffset > _endOffset) _startOffset = _endOffset;
        SegmentIndexFile.Delete(Active.Path);
        if (Settings.LogAppendTime) _lastAppendTime = _segments.Max(segment => segment.MaxTimestamp);
        ReplayProducers(ProducerSnapshot.RestoreNewest(_directory, _endOffset, _producers), now);
    }

    /// <summary>Visits a batch of the log.</summary>
    public delegate void BatchVisitor(ReadOnlySpan<byte> batch, in BatchHeader header);

    /// <summary>Reads the whole log; only at start, for the logs the broker itself lives from.</summary>
    public void ForEachBatch(BatchVisitor visit)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ScanBufferBytes);
        foreach (var segment in _segments)
        {
            for (long position = 0; position < segment.Size;)
            {
                RandomAccess.Read(segment.File, buffer.AsSpan(0, BatchHeader.Size), position);
                var header = BatchHeader.Read(buffer);
                if (header.TotalSize > buffer.Length)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = ArrayPool<byte>.Shared.Rent(header.TotalSize);
                }

                var batch = buffer.AsSpan(0, header.TotalSize);
                RandomAccess.Read(segment.File, batch, position);
                visit(batch, header);
                position += header.TotalSize;
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    void Scan(Segment segment, bool isLast)
    {
        var length = RandomAccess.GetLength(segment.File);
        var buffer = ArrayPool<byte>.Shared.Rent(ScanBufferBytes);
        try
        {
            while (segment.Size < length)
            {
                var size = ReadBatch(segment, ref buffer, length, out var header);
                if (size == 0) break;
                segment.Account(header.BaseOffset, header.LastOffset + 1, header.MaxTimestamp, size);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (segment.Size == length) return;
        if (!isLast)
            throw new InvalidDataException($"{segment.Path} is damaged at byte {segment.Size}, and it is not the last segment of its partition.");
        Log.TornTailCut(_logger, Topic, Partition, segment.NextOffset, length - segment.Size);
        using var file = new FileStream(segment.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(segment.Size);
    }

    /// <summary>Reads the batch at the end of what is accounted for; 0 when it is incomplete, out of order or damaged.</summary>
    static int ReadBatch(Segment segment, ref byte[] buffer, long length, out BatchHeader header)
    {
        header = default;
        var position = segment.Size;
        if (length - position < BatchHeader.Size || RandomAccess.Read(segment.File, buffer.AsSpan(0, BatchHeader.Size), position) < BatchHeader.Size) return 0;
        header = BatchHeader.Read(buffer);
        var size = header.TotalSize;
        if (header.Magic != 2 || size < BatchHeader.Size || size > length - position || header.BaseOffset < segment.NextOffset || header.LastOffsetDelta < 0) return 0;
        if (size > buffer.Length)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = ArrayPool<byte>.Shared.Rent(size);
        }

        var batch = buffer.AsSpan(0, size);
        return RandomAccess.Read(segment.File, batch, position) == size && BatchHeader.CrcMatches(batch, header.Crc) ? size : 0;
    }

    /// <summary>Brings the producer state from an offset up to the end by the headers of the batches.</summary>
    void ReplayProducers(long from, long now)
    {
        if (from >= _endOffset) return;
        Span<byte> bytes = stackalloc byte[MaxMarkerBytes];
        foreach (var segment in _segments)
        {
            if (segment.NextOffset <= from) continue;
            for (var position = from > segment.BaseOffset ? FindExact(segment, segment.FloorPosition(from), from) : 0; position < segment.Size;)
            {
                var read = RandomAccess.Read(segment.File, bytes, position);
                var header = BatchHeader.Read(bytes);
                if (header.IsControl && header.RecordCount > 0 && header.TotalSize <= read) ReplayMarker(bytes[..read], header, now);
                else if (header.HasProducer && !header.IsControl) _producers.Appended(header, now);
                position += header.TotalSize;
            }
        }
    }

    void ReplayMarker(ReadOnlySpan<byte> batch, in BatchHeader header, long now)
    {
        _producers.Ended(header.ProducerId, header.ProducerEpoch, header.LastOffset, IsCommitMarker(batch, header), now);
    }

    /// <summary>Whether a control batch commits, by the key of its record: {version i16, type i16}.</summary>
    internal static bool IsCommitMarker(ReadOnlySpan<byte> batch, in BatchHeader header)
    {
        using var reader = new RecordReader(batch, header);
        return reader.TryRead(out var record) && record.Key.Length >= 4 && record.Key[3] == 1;
    }
}
