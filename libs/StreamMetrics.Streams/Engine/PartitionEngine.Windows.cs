using System.Runtime.CompilerServices;
using StreamMetrics.Contracts.Events;

namespace StreamMetrics.Streams;

// Panes, windows, corrections: where events are counted and when windows close. One file over 300 lines, because adding to a cell and closing it
// keep the same invariants.
public sealed partial class PartitionEngine
{
    // Pane n is in slot n mod length; window n of size k likewise in _windows[k]. A window has a cell for every series that has one in any
    // of its panes, so a window table without cells has no events.
    readonly CellTable?[] _panes;
    readonly CellTable?[][] _windows;
    readonly Stack<CellTable> _freeTables = new();
    readonly Stack<Accumulator> _freeCells = new();
    long _cells; // in use: in panes, windows and corrections

    // The two panes that events were counted in last; around a pane's end they alternate. A start of MaxValue: none.
    CellTable? _hotPane;
    CellTable? _warmPane;
    long _hotStart = long.MaxValue;
    long _warmStart = long.MaxValue;

    long _closedPane = -1; // newest pane that is closed
    long _currentPane = -1; // pane that contains the watermark
    long _nextBoundary; // watermark at which one of them changes

    // Late events of final windows since the watermark's last pane boundary, in log order, and where to find them.
    readonly List<PendingCorrection> _corrections = [];
    readonly Dictionary<(int Series, int Size, long Number), int> _correctionIndex = [];

    sealed record PendingCorrection(Series Series, int Size, long Number, Accumulator Cell);

    // Any event that is accepted; true when its pane is open.
    bool Count(Series series, bool isError, in InputRecord record)
    {
        Statistics.Accepted++;
        if (series.Service.IsMisrouted) Statistics.Misrouted++;
        var time = _reader.Timestamp;
        var pane = KnownPane(time) ?? FindPane(time);
        if (pane == null)
        {
            CountLate(series, isError, record);
            return false;
        }

        AddOpen(pane, series, isError, record);
        AddOpen(pane, series.Total!, isError, record);
        return true;
    }

    void AddOpen(CellTable pane, Series series, bool isError, in InputRecord record)
    {
        AddTo(pane.Find(series.Id) ?? OpenPaneCell(pane, series), _reader, isError, record.Offset);
        pane.MarkDirty(series.Id);
        if (!_isQueued[series.Id]) Enqueue(series, record.LogTime);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void AddTo(Accumulator cell, EventReader reader, bool isError, long offset)
    {
        var value = reader.Value;
        cell.Add(value, reader.Timestamp, isError);
        if (cell.WantsExemplar(value, offset)) AddExemplar(cell, reader, offset);
    }

    static void AddExemplar(Accumulator cell, EventReader reader, long offset)
    {
        var traceId = reader.TraceId;
        if (traceId.Length is > 0 and <= Accumulator.MaxIdLength) cell.SetExemplar(reader.Value, reader.Timestamp, offset, traceId, reader.SpanId);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    CellTable? KnownPane(long time)
    {
        if ((ulong)(time - _hotStart) < (ulong)_time.Pane) return _hotPane;
        return (ulong)(time - _warmStart) < (ulong)_time.Pane ? _warmPane : null;
    }

    // The table of an open pane; null when it is closed.
    CellTable? FindPane(long time)
    {
        var number = time / _time.Pane;
        if (number <= _closedPane) return null;
        (_warmPane, _warmStart) = (_hotPane, _hotStart);
        _hotPane = TableOf(_panes, number);
        _hotStart = number * _time.Pane;
        return _hotPane;
    }

    CellTable TableOf(CellTable?[] slots, long number)
    {
        ref var slot = ref slots[number % slots.Length];
        if (slot == null)
        {
            slot = _freeTables.TryPop(out var free) ? free : new();
            slot.Open(number);
        }

        System.Diagnostics.Debug.Assert(slot.Number == number, "There are as many slots as tables can be open.");
        return slot;
    }

    // A series' first event in a pane: its windows get a cell as well, so that they are known to be open.
    Accumulator OpenPaneCell(CellTable pane, Series series)
    {
        var cell = OpenCell(pane, series);
        for (var k = 0; k < _windows.Length; k++) WindowCell(k, pane.Number * _time.Pane / _time.Windows[k].Size, series);
        return cell;
    }

    Accumulator WindowCell(int size, long number, Series series)
    {
        var table = TableOf(_windows[size], number);
        if (table.Find(series.Id) is { } cell) return cell;
        Statistics.OpenWindows++;
        return OpenCell(table, series);
    }

    Accumulator OpenCell(CellTable table, Series series)
    {
        EnsureQueue(series.Id);
        var cell = _freeCells.TryPop(out var free) ? free : new();
        table.Set(series.Id, cell);
        table.MarkDirty(series.Id);
        Hold(series);
        return cell;
    }

    // The pane is closed: straight into the windows that are open, a correction for those that are not.
    void CountLate(Series series, bool isError, in InputRecord record)
    {
        var isCorrection = AddLate(series, isError, record);
        AddLate(series.Total!, isError, record);
        if (!isCorrection) return;
        Statistics.Corrected++;
        series.Service.Statistics.Corrected++;
    }

    bool AddLate(Series series, bool isError, in InputRecord record)
    {
        var time = _reader.Timestamp;
        var isCorrection = false;
        for (var k = 0; k < _windows.Length; k++)
        {
            var size = _time.Windows[k].Size;
            var number = time / size;
            if (_time.IsFinal((number + 1) * size, _watermark))
            {
                AddTo(CorrectionCell(series, k, number), _reader, isError, record.Offset);
                isCorrection = true;
                continue;
            }

            AddTo(WindowCell(k, number, series), _reader, isError, record.Offset);
            TableOf(_windows[k], number).MarkDirty(series.Id);
        }

        // The sliding window is made of panes; a closed one is kept for it.
        var pane = time / _time.Pane;
        if (!IsExpired(pane))
        {
            var table = TableOf(_panes, pane);
            AddTo(table.Find(series.Id) ?? OpenCell(table, series), _reader, isError, record.Offset);
            table.MarkDirty(series.Id);
        }

        EnsureQueue(series.Id);
        if (!_isQueued[series.Id]) Enqueue(series, record.LogTime);
        return isCorrection;
    }

    Accumulator CorrectionCell(Series series, int size, long number)
    {
        if (!_correctionIndex.TryGetValue((series.Id, size, number), out var index))
        {
            index = _corrections.Count;
            AddCorrection(series, size, number, _freeCells.TryPop(out var free) ? free : new());
        }

        MarkCorrectionDirty(index);
        return _corrections[index].Cell;
    }

    void AddCorrection(Series series, int size, long number, Accumulator cell)
    {
        _correctionIndex.Add((series.Id, size, number), _corrections.Count);
        _corrections.Add(new(series, size, number, cell));
        Hold(series);
        Statistics.PendingCorrections++;
    }

    void MoveWatermark(long logTime, long offset)
    {
        if (logTime <= _watermark) return;
        _watermark = logTime;
        if (logTime >= _nextBoundary) CrossBoundaries(offset);
    }

    // The watermark has passed a pane boundary, or one + grace. What is emitted here holds all records before this one.
    void CrossBoundaries(long offset)
    {
        FinishStarted();
        var current = _watermark / _time.Pane;
        if (current > _currentPane)
        {
            EmitCorrections(offset);
            ForgetReplays();
        }

        var closed = _time.ClosedPane(_watermark);
        while (NextPane(closed) is { } pane) ClosePane(pane);
        _closedPane = Math.Max(_closedPane, closed);
        if (_hotStart < (_closedPane + 1) * _time.Pane) _hotStart = long.MaxValue;
        if (_warmStart < (_closedPane + 1) * _time.Pane) _warmStart = long.MaxValue;
        while (NextWindow() is { } window && _time.IsFinal(window.End, _watermark)) CloseWindow(window.Size, window.Table, offset);
        if (current > _currentPane)
        {
            _currentPane = current;
            Slide();
        }

        _nextBoundary = Math.Min((_currentPane + 1) * _time.Pane, (_closedPane + 2) * _time.Pane + _time.Grace);
    }

    // The oldest pane that is to be closed now.
    CellTable? NextPane(long closed)
    {
        CellTable? next = null;
        foreach (var table in _panes)
        {
            if (table != null && table.Number > _closedPane && table.Number <= closed && (next == null || table.Number < next.Number)) next = table;
        }

        return next;
    }

    void ClosePane(CellTable pane)
    {
        _closedPane = pane.Number;
        var cells = pane.Cells;
        for (var k = 0; k < _windows.Length; k++)
        {
            var window = TableOf(_windows[k], pane.Number * _time.Pane / _time.Windows[k].Size);
            for (var id = 0; id < cells.Length; id++)
            {
                if (cells[id] is not { } cell) continue;
                window.Find(id)!.MergeFrom(cell);
                window.MarkDirty(id);
            }
        }
    }

    // The open window with events that ends first; of those that end together, the one whose size comes first.
    (int Size, CellTable Table, long End)? NextWindow()
    {
        (int Size, CellTable Table, long End)? next = null;
        for (var k = 0; k < _windows.Length; k++)
        {
            foreach (var table in _windows[k])
            {
                if (table == null) continue;
                var end = (table.Number + 1) * _time.Windows[k].Size;
                if (next == null || end < next.Value.End) next = (k, table, end);
            }
        }

        return next;
    }

    void CloseWindow(int size, CellTable table, long offset)
    {
        var window = _time.Windows[size];
        var cells = table.Cells;
        for (var id = 0; id < cells.Length; id++)
        {
            if (cells[id] is not { } cell) continue;
            var series = _registry.ById(id)!;
            _pending.Add(new(series, cell, window, table.Number * window.Size, offset, IsCorrection: false));
            Statistics.Finals++;
            Statistics.OpenWindows--;
            Release(series);
        }

        Recycle(_windows[size], table);
    }

    void EmitCorrections(long offset)
    {
        foreach (var (series, size, number, cell) in _corrections)
        {
            var window = _time.Windows[size];
            _pending.Add(new(series, cell, window, number * window.Size, offset, IsCorrection: true));
            Statistics.Corrections++;
            Release(series);
        }

        Statistics.PendingCorrections = 0;
        _corrections.Clear();
        _correctionIndex.Clear();
        _dirtyCorrections.Clear();
    }

    // A pane boundary: the sliding windows of all series in its panes have moved, and panes have left it.
    void Slide()
    {
        for (var slot = 0; slot < _panes.Length; slot++)
        {
            if (_panes[slot] is not { } pane) continue;
            var isExpired = IsExpired(pane.Number);
            var cells = pane.Cells;
            for (var id = 0; id < cells.Length; id++)
            {
                if (cells[id] is not { } cell) continue;
                var series = _registry.ById(id)!;
                if (!_isQueued[id]) Enqueue(series, series.LastSeen);
                if (!isExpired) continue;
                Recycle(cell);
                Release(series);
            }

            if (isExpired) Recycle(_panes, pane);
        }
    }

    // Closed, and in no sliding window that the watermark is in.
    bool IsExpired(long pane) => pane <= _closedPane && (pane + 1) * _time.Pane <= (_currentPane + 1) * _time.Pane - _time.Sliding;

    void Hold(Series series)
    {
        series.Cells++;
        _cells++;
    }

    void Release(Series series)
    {
        _cells--;
        if (--series.Cells == 0) _registry.Forget(series);
    }

    void Recycle(Accumulator cell)
    {
        cell.Clear();
        _freeCells.Push(cell);
    }

    void Recycle(CellTable?[] slots, CellTable table)
    {
        slots[table.Number % slots.Length] = null;
        table.Clear();
        _freeTables.Push(table);
    }
}
