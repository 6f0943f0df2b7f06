namespace StreamMetrics.EmbeddedKafka;

internal sealed partial class PartitionLog
{
    /// <summary>Moves the first offset up (DeleteRecords); -1 means to the end. Whole segments below it are removed.</summary>
    public ErrorCode AdvanceStart(ref long offset)
    {
        lock (_gate)
        {
            if (_closed) return ErrorCode.UnknownTopicOrPartition;
            if (offset == -1) offset = _endOffset;
            if (offset < 0 || offset > _endOffset) return ErrorCode.OffsetOutOfRange;
            if (offset > _startOffset) Volatile.Write(ref _startOffset, offset);
            offset = _startOffset;
            if (Active.BaseOffset < _startOffset && Active.NextOffset == _startOffset && Active.Size > 0) Roll();
            RemoveSegments(segment => segment.NextOffset <= _startOffset);
            return ErrorCode.None;
        }
    }

    /// <summary>Removes what the topic's retention no longer covers: whole segments, oldest first. The active one is completed when it is too old itself.</summary>
    public void ApplyRetention(long now, long producerExpiryMs)
    {
        lock (_gate)
        {
            if (_closed) return;
            _producers.Expire(now - producerExpiryMs);
            if (!Settings.Delete) return;
            if (Settings.RetentionMs >= 0)
            {
                var oldest = now - Settings.RetentionMs;
                if (Active.Size > 0 && NewestTime(Active) < oldest) Roll();
                RemoveSegments(segment => NewestTime(segment) < oldest);
            }

            if (Settings.RetentionBytes >= 0)
            {
                var excess = TotalSize() - Settings.RetentionBytes;
                RemoveSegments(segment => (excess -= segment.Size) >= 0);
            }
        }
    }

    public long TotalSize()
    {
        long total = 0;
        foreach (var segment in Volatile.Read(ref _segments)) total += segment.Size;
        return total;
    }

    /// <summary>Time of the newest record; of the file where records carry none (timestamp -1).</summary>
    static long NewestTime(Segment segment) => segment.MaxTimestamp >= 0
        ? segment.MaxTimestamp
        : new DateTimeOffset(File.GetLastWriteTimeUtc(segment.Path)).ToUnixTimeMilliseconds();

    void RemoveSegments(Predicate<Segment> isExpired)
    {
        var count = 0;
        while (count < _segments.Length - 1 && isExpired(_segments[count])) count++;
        if (count == 0) return;
        var removed = _segments[..count];
        Volatile.Write(ref _segments, _segments[count..]);
        Volatile.Write(ref _startOffset, Math.Max(_startOffset, _segments[0].BaseOffset));
        _producers.ForgetAbortedBelow(_startOffset);
        foreach (var segment in removed) segment.Delete();
    }
}
