using Microsoft.Extensions.Logging;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// The log of one partition: segments, offsets, and what is known of its producers. There is one copy, so what is appended is committed at once:
/// high watermark = end offset. Everything below the fields' lock is changed and read under it; files are read without it, because
/// bytes below a segment's size never change.
/// </summary>
internal sealed partial class PartitionLog : IDisposable
{
    readonly Lock _gate = new();
    readonly string _directory;
    readonly ILogger _logger;
    readonly ProducerStates _producers = new();
    Segment[] _segments = [];
    long _endOffset;
    long _startOffset;
    bool _closed;

    /// <summary>The newest time this log has stamped a batch with (LogAppendTime).</summary>
    long _lastAppendTime = -1;

    /// <summary>Waiting fetches; replaced as a whole on change, so that an append walks it without a lock.</summary>
    FetchWaiter[] _waiters = [];

    public PartitionLog(string topic, int partition, string directory, LogSettings settings, ILogger logger)
    {
        (Topic, Partition, _directory, Settings, _logger) = (topic, partition, directory, settings, logger);
    }

    public string Topic { get; }

    public int Partition { get; }

    public LogSettings Settings { get; set; }

    /// <summary>The offset the next record gets; also the high watermark.</summary>
    public long EndOffset => Volatile.Read(ref _endOffset);

    public long StartOffset => Volatile.Read(ref _startOffset);

    /// <summary>The first offset that is not yet decided: read_committed consumers read what is below.</summary>
    public long LastStableOffset
    {
        get { lock (_gate) return LastStable(); }
    }

    /// <summary>What a loss of power could take of segments that are no longer written to.</summary>
    public long UnflushedBytesOfCompleteSegments
    {
        get
        {
            lock (_gate) return _segments[..^1].Sum(segment => segment.Size - segment.FlushedSize);
        }
    }

    /// <summary>
    /// Appends one validated batch and gives it its offset. <paramref name="verified"/>: the caller holds the lock of the transaction that the
    /// batch belongs to and has checked that it is open; without it, a batch that would open a transaction here is refused with ConcurrentTransactions,
    /// and the caller comes again with the lock (a late batch must not open a transaction that nobody ends; KIP-890).
    /// </summary>
    public AppendResult Append(Span<byte> batch, in BatchHeader header, long now, bool verified = false)
    {
        AppendResult result;
        lock (_gate)
        {
            if (_closed) return AppendResult.Refused(ErrorCode.UnknownTopicOrPartition);
            if (header.HasProducer && header.BaseSequence >= 0)
            {
                var error = _producers.Check(header, out var duplicateOf);
                if (error != ErrorCode.None) return AppendResult.Refused(error);
                if (duplicateOf >= 0) return new(ErrorCode.None, duplicateOf);
            }

            if (header.IsTransactional && !verified && !_producers.HasOpenTransaction(header.ProducerId))
                return AppendResult.Refused(ErrorCode.ConcurrentTransactions);
            result = Write(batch, header, now);
        }

        WakeWaiters();
        return result;
    }

    /// <summary>Ends a transaction here: writes the control batch, moves the last stable offset, wakes readers.</summary>
    /// <exception cref="IOException">The marker is not in the log; the transaction is still open here.</exception>
    public void AppendMarker(BatchBuilder builder, long producerId, short epoch, bool commit, long now)
    {
        lock (_gate)
        {
            if (_closed) return;
            var marker = builder.Marker(now, producerId, epoch, commit);
            var header = BatchHeader.Read(marker);
            var offset = _endOffset;
            var result = Write(marker, header, now);
            if (result.Error != ErrorCode.None) throw new IOException($"The marker of a transaction cannot be written to {Topic}-{Partition}: {result.Message}");
            _producers.Ended(producerId, epoch, offset, commit, now);
        }

        WakeWaiters();
    }

    public bool HasOpenTransaction(long producerId)
    {
        lock (_gate) return _producers.HasOpenTransaction(producerId);
    }

    public void AddWaiter(FetchWaiter waiter)
    {
        lock (_gate)
        {
            if (Array.IndexOf(_waiters, waiter) < 0) Volatile.Write(ref _waiters, [.. _waiters, waiter]);
        }
    }

    public void RemoveWaiter(FetchWaiter waiter)
    {
        lock (_gate) Volatile.Write(ref _waiters, Array.FindAll(_waiters, other => other != waiter));
    }

    /// <summary>Hands what was written since the last call to the disk; a loss of power takes no more than what came after.</summary>
    public void Flush()
    {
        foreach (var segment in Volatile.Read(ref _segments))
        {
            try
            {
                segment.Flush();
            }
            catch (ObjectDisposedException)
            {
                // Retention or compaction removed the segment meanwhile; there is nothing left to flush.
            }
        }
    }

    /// <summary>Closes the log after writing what lets the next start skip the scan.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed || _segments.Length == 0) return;
            _closed = true;
            ProducerSnapshot.Write(_directory, _endOffset, _producers);
            ProducerSnapshot.DeleteAllBut(_directory, keep: 2);
            SegmentIndexFile.Write(Active);
            foreach (var segment in _segments)
            {
                segment.Flush();
                segment.Dispose();
            }
        }

        WakeWaiters();
    }

    /// <summary>Closes the log and removes its files: the topic was deleted.</summary>
    public void DeleteFiles()
    {
        lock (_gate)
        {
            _closed = true;
            foreach (var segment in _segments) segment.Dispose();
            if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
        }

        WakeWaiters();
    }

    Segment Active => _segments[^1];

    long LastStable() => _producers.FirstUnstable is var first && first >= 0 ? first : _endOffset;

    AppendResult Write(Span<byte> batch, in BatchHeader header, long now)
    {
        RollIfDue(batch.Length, header.MaxTimestamp, now);
        var baseOffset = _endOffset;
        var maxTimestamp = header.MaxTimestamp;
        long appendTime = -1;
        BatchHeader.SetOffset(batch, baseOffset);
        if (Settings.LogAppendTime && !header.IsControl)
        {
            // Never goes back within a log, even when the machine's clock does.
            appendTime = maxTimestamp = _lastAppendTime = Math.Max(now, _lastAppendTime);
            BatchHeader.SetLogAppendTime(batch, header.Attributes, appendTime);
        }

        var next = baseOffset + header.LastOffsetDelta + 1;
        try
        {
            Active.Append(batch, baseOffset, next, maxTimestamp);
        }
        catch (IOException e)
        {
            // The segment's size has not moved: what was partly written is overwritten by the next batch, or cut off when the segment is
            // complete or at the next start.
            Log.WriteFailed(_logger, Topic, Partition, e);
            return AppendResult.Refused(ErrorCode.KafkaStorageError, e.Message);
        }

        if (header.HasProducer && !header.IsControl) _producers.Appended(header with { BaseOffset = baseOffset }, now);
        Volatile.Write(ref _endOffset, next);
        return new(ErrorCode.None, baseOffset, appendTime);
    }

    /// <summary>A segment's age is counted by its records where they have times, as in Kafka: a load of old records must not get a segment each.</summary>
    void RollIfDue(int bytes, long timestamp, long now)
    {
        var active = Active;
        if (active.Size == 0) return;
        var full = active.Size + bytes > Settings.SegmentBytes;
        var time = timestamp >= 0 && !Settings.LogAppendTime ? timestamp : now;
        var old = active.FirstTimestamp >= 0 && time - active.FirstTimestamp >= Settings.SegmentMs;
        if (full || old) Roll();
    }

    /// <summary>
    /// Completes the active segment and starts the next. A crash between the steps leaves one that is scanned at the next start. The data goes to the disk
    /// first, so that not even a loss of power damages a segment that is not the last.
    /// </summary>
    void Roll()
    {
        Active.CutToSize();
        Active.Flush();
        SegmentIndexFile.Write(Active);
        ProducerSnapshot.Write(_directory, _endOffset, _producers);
        ProducerSnapshot.DeleteAllBut(_directory, keep: 2);
        Volatile.Write(ref _segments, [.. _segments, Segment.Open(_directory, _endOffset)]);
    }

    void WakeWaiters()
    {
        foreach (var waiter in Volatile.Read(ref _waiters)) waiter.Signal();
    }
}
