namespace StreamMetrics.Streams;

// Provisional values of series that changed.
public sealed partial class PartitionEngine
{
    // Dirty series in the order in which they became dirty; a series is in one of the queues at most. By id, in one array: that is in the
    // cache, the series are not.
    bool[] _isQueued = [];
    readonly Queue<Series> _watched = new();
    readonly Queue<Series> _unwatched = new();
    readonly Accumulator _merged = new();

    /// <summary>Dirty series that wait to be written, by lane.</summary>
    /// <param name="lane">Which queue.</param>
    public int DirtySeries(LiveLane lane) => lane == LiveLane.Watched ? _watched.Count : _unwatched.Count;

    /// <summary>
    /// Writes dirty series: their current sliding window and, of each tumbling size, the newest window that has begun. Neither waits for a
    /// commit nor causes one.
    /// </summary>
    /// <param name="output">Decides per series and receives the values.</param>
    /// <param name="lane">Which queue.</param>
    /// <param name="maxSeries">Most series to write.</param>
    /// <returns>Number of series written.</returns>
    public int WriteLive(ILiveOutput output, LiveLane lane, int maxSeries)
    {
        ArgumentNullException.ThrowIfNull(output);
        FinishStarted();
        var queue = lane == LiveLane.Watched ? _watched : _unwatched;
        var written = 0;
        for (var left = queue.Count; left > 0 && written < maxSeries; left--)
        {
            var series = queue.Peek();
            if (series.Watched != (lane == LiveLane.Watched))
            {
                queue.Dequeue();
                Enqueue(series, series.LastSeen);
                continue;
            }

            var decision = output.Decide(series);
            if (decision == LiveDecision.Stop) break;
            queue.Dequeue();
            if (decision == LiveDecision.Later)
            {
                queue.Enqueue(series);
                continue;
            }

            Dequeued(series);
            WriteSeries(output, series);
            written++;
        }

        return written;
    }

    /// <summary>Makes every series and total dirty: what was written before is gone.</summary>
    public void RefreshLive()
    {
        for (var id = 0; id < _registry.IdLimit; id++)
        {
            EnsureQueue(id); // a restored series has no event yet
            if (_registry.ById(id) is { } series && !_isQueued[id]) Enqueue(series, series.LastSeen);
        }
    }

    void Enqueue(Series series, long lastSeen)
    {
        _isQueued[series.Id] = true;
        series.LastSeen = lastSeen;
        (series.Watched ? _watched : _unwatched).Enqueue(series);
    }

    void EnsureQueue(int id)
    {
        if (id >= _isQueued.Length) Array.Resize(ref _isQueued, Math.Max(64, 2 * id));
    }

    void Dequeued(Series series)
    {
        _isQueued[series.Id] = false;
        // The series may have been forgotten while it was in the queue, and another one have its id: that one was not let in.
        if (_registry.ById(series.Id) is { } successor && successor != series) Enqueue(successor, successor.LastSeen);
    }

    void WriteSeries(ILiveOutput output, Series series)
    {
        if (_time.Sliding > 0) WriteSliding(output, series);
        // A series that was forgotten meanwhile has no windows any more: its id may be another's.
        for (var k = 0; k < _windows.Length && series.IsAlive; k++)
        {
            if (NewestWindow(series, k) is not { } table) continue;
            var size = _time.Windows[k];
            var start = table.Number * size.Size;
            _merged.Clear();
            _merged.MergeFrom(table.Find(series.Id)!);
            MergePanes(series, Math.Max(start / _time.Pane, _closedPane + 1), (start + size.Size) / _time.Pane);
            WriteWindow(output, series, size.Name, size.NameBytes, start, size.Size);
        }

        output.Complete(series);
    }

    // The sliding window that ends with the pane of the watermark.
    void WriteSliding(ILiveOutput output, Series series)
    {
        var end = (_currentPane + 1) * _time.Pane;
        _merged.Clear();
        if (series.IsAlive) MergePanes(series, (end - _time.Sliding) / _time.Pane, end / _time.Pane);
        WriteWindow(output, series, _time.SlidingName, _time.SlidingNameBytes, end - _time.Sliding, _time.Sliding);
    }

    // Panes from ≤ n < to.
    void MergePanes(Series series, long from, long to)
    {
        for (var number = Math.Max(0, from); number < to; number++)
        {
            if (_panes[number % _panes.Length] is { } pane && pane.Number == number && pane.Find(series.Id) is { } cell) _merged.MergeFrom(cell);
        }
    }

    CellTable? NewestWindow(Series series, int size)
    {
        CellTable? newest = null;
        foreach (var table in _windows[size])
        {
            if (table == null || table.Number * _time.Windows[size].Size > _watermark || table.Find(series.Id) == null) continue;
            if (newest == null || table.Number > newest.Number) newest = table;
        }

        return newest;
    }

    void WriteWindow(ILiveOutput output, Series series, string name, byte[] nameBytes, long start, long size)
    {
        var values = AggregateValues.Of(series, _merged, size);
        _writer.WriteProvisional(series, _merged, values, nameBytes, start, start + size, _position - 1);
        output.Window(series, new LiveWindow
        {
            Window = name,
            Start = start,
            End = start + size,
            Count = _merged.Count,
            Sum = values.Sum,
            Avg = values.Avg,
            Min = values.Min,
            Max = values.Max,
            P50 = values.P50,
            P95 = values.P95,
            P99 = values.P99,
            Rate = values.Rate,
            Last = values.Last,
            LastTime = values.LastTime,
            Errors = _merged.Errors,
            ExemplarJson = _writer.ExemplarJson,
            ExemplarTime = _merged.HasExemplar ? _merged.ExemplarTime : 0,
            MaxRelativeError = _merged.MaxRelativeError,
            AsOf = _watermark,
            Offset = _position - 1,
            Sketch = _writer.Sketch,
            Json = _writer.Json,
        });
    }
}
