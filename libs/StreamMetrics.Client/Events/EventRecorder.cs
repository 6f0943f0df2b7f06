using System.Buffers;
using System.Diagnostics;

namespace StreamMetrics.Client.Events;

/// <summary>Turns measurements into bytes in the queue. Any thread; never blocks, never throws; allocates nothing for a series it knows.</summary>
sealed class EventRecorder(EventSource source, EventRing ring, int maxSeries, TimeProvider time)
{
    const int StackBytes = 1024;

    readonly SeriesCache _cache = new(source, maxSeries);
    readonly long[] _dropped = new long[Enum.GetValues<DropReason>().Length];
    long _queued;
    long _changed;
    int _isReaderAsleep;
    int _isClosed;

    /// <summary>Wakes the thread that empties the queue.</summary>
    public Action? WakeReader { get; set; }

    public long Queued => Interlocked.Read(ref _queued);

    public long Changed => Interlocked.Read(ref _changed);

    public int SeriesCount => _cache.Count;

    public IEnumerable<KeyValuePair<SeriesKey, Series>> OwnedSeries => _cache.Owned;

    public long DroppedCount(DropReason reason) => Interlocked.Read(ref _dropped[(int)reason]);

    public long AllDropped
    {
        get
        {
            long all = 0;
            for (var i = 0; i < _dropped.Length; i++) all += Interlocked.Read(ref _dropped[i]);
            return all;
        }
    }

    public void Dropped(DropReason reason, long count = 1) => Interlocked.Add(ref _dropped[(int)reason], count);

    /// <summary>From now on everything is dropped.</summary>
    public void Close() => Volatile.Write(ref _isClosed, 1);

    /// <summary>Finds the series of a measurement that can be recorded; otherwise counts why not.</summary>
    public bool TryGetSeries(in SeriesProbe probe, double value, out Series series, out bool isKept)
    {
        (series, isKept) = (null!, false);
        if (!double.IsFinite(value)) Dropped(DropReason.ValueNotFinite);
        else if (string.IsNullOrEmpty(probe.Name)) Dropped(DropReason.NoName);
        else series = _cache.Get(probe, out isKept);
        return series is not null;
    }

    /// <summary>Puts an event into the queue, or counts why not.</summary>
    public void Record(Series series, double value, Activity? activity)
    {
        byte[]? rented = null;
        var buffer = series.MaxEventLength <= StackBytes
            ? stackalloc byte[StackBytes]
            : rented = ArrayPool<byte>.Shared.Rent(series.MaxEventLength);
        var length = EventWriter.Write(buffer, series, time.GetUtcNow().ToUnixTimeMilliseconds(), value, activity);
        Enqueue(buffer[..length]);
        if (series.IsChanged) Interlocked.Increment(ref _changed);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>The reader: says that it is about to wait. False when there is something to do after all.</summary>
    public bool TryFallAsleep()
    {
        Interlocked.Exchange(ref _isReaderAsleep, 1);
        return !ring.TryPeek(out _);
    }

    /// <summary>The reader: says that it no longer waits.</summary>
    public void Awake() => Volatile.Write(ref _isReaderAsleep, 0);

    void Enqueue(ReadOnlySpan<byte> data)
    {
        if (Volatile.Read(ref _isClosed) != 0)
        {
            Dropped(DropReason.Closed);
        }
        else if (!ring.TryWrite(data))
        {
            Dropped(DropReason.QueueFull);
        }
        else
        {
            // Interlocked is a full fence as well: the event is visible before the flag is read, and the reader sets the flag before it
            // looks for events, so that one of the two sees the other.
            Interlocked.Increment(ref _queued);
            if (Volatile.Read(ref _isReaderAsleep) != 0 && Interlocked.Exchange(ref _isReaderAsleep, 0) != 0) WakeReader?.Invoke();
        }
    }
}
