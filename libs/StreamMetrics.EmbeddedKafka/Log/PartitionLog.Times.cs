using System.Buffers;

namespace StreamMetrics.EmbeddedKafka;

internal sealed partial class PartitionLog
{
    /// <summary>The first record at or after a time: its offset and timestamp, or (-1, -1).</summary>
    public (long Offset, long Timestamp) FindTime(long timestamp)
    {
        while (!_closed)
        {
            try
            {
                foreach (var segment in Volatile.Read(ref _segments))
                {
                    if (segment.MaxTimestamp < timestamp || segment.NextOffset <= StartOffset) continue;
                    if (FindTimeIn(segment, timestamp, StartOffset) is { } found) return found;
                }

                break;
            }
            catch (ObjectDisposedException)
            {
                // Retention or compaction took a segment away meanwhile: look again in those that are there now.
            }
        }

        return (-1, -1);
    }

    /// <summary>The record with the largest timestamp (the first of them), or (-1, -1) when the log is empty.</summary>
    public (long Offset, long Timestamp) FindMaxTimestamp()
    {
        long max = -1;
        foreach (var segment in Volatile.Read(ref _segments)) max = Math.Max(max, segment.MaxTimestamp);
        return max < 0 ? (-1, -1) : FindTime(max);
    }

    static (long, long)? FindTimeIn(Segment segment, long timestamp, long startOffset)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BatchHeader.Size);
        try
        {
            for (var position = segment.FloorPositionOfTime(timestamp); position < segment.Size;)
            {
                if (RandomAccess.Read(segment.File, buffer.AsSpan(0, BatchHeader.Size), position) < BatchHeader.Size) break;
                var header = BatchHeader.Read(buffer);
                if (header.MaxTimestamp >= timestamp && header.LastOffset >= startOffset && !header.IsControl)
                {
                    if (header.TotalSize > buffer.Length)
                    {
                        ArrayPool<byte>.Shared.Return(buffer);
                        buffer = ArrayPool<byte>.Shared.Rent(header.TotalSize);
                    }

                    RandomAccess.Read(segment.File, buffer.AsSpan(0, header.TotalSize), position);
                    if (FindTimeIn(buffer, header, timestamp, startOffset) is { } found) return found;
                }

                position += header.TotalSize;
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    static (long, long)? FindTimeIn(ReadOnlySpan<byte> batch, in BatchHeader header, long timestamp, long startOffset)
    {
        using var reader = new RecordReader(batch, header);
        while (reader.TryRead(out var record))
        {
            var offset = header.BaseOffset + record.OffsetDelta;
            var time = header.IsLogAppendTime ? header.MaxTimestamp : header.BaseTimestamp + record.TimestampDelta;
            if (time >= timestamp && offset >= startOffset) return (offset, time);
        }

        return null;
    }
}
