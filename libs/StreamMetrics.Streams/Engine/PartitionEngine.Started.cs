using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using StreamMetrics.Contracts.Events;

namespace StreamMetrics.Streams;

// Usual events are counted two events later than they are read. With thousands of series neither cells nor bucket counts are in the
// processor's cache, and waiting for them took more time than everything else but reading. So the event that is read asks for its cells to be
// fetched; when the next one is read, its cells ask for the counts; when the one after that is read, all of it is there. Nobody sees the
// delay: everything that looks at cells, or counts in another way, finishes what was started first, in log order.
public sealed partial class PartitionEngine
{
    const int CacheLine = 64;

    // The reader of a started event keeps it, so there is one more than there are started events.
    readonly EventReader[] _readers = [new(), new(), new()];
    EventReader _reader;
    int _readerIndex;

    // In log order: _older, then _newer. Without a cell: nothing is started.
    StartedEvent _older;
    StartedEvent _newer;

    struct StartedEvent
    {
        public Accumulator? Cell;
        public Accumulator Total;
        public EventReader Reader;
        public long Offset;
        public bool IsError;
    }

    // One step for the events that are started, before the next one is looked up.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Step()
    {
        if (_older.Cell != null) Finish(ref _older);
        if (_newer.Cell != null)
        {
            var value = _newer.Reader.Value;
            _newer.Cell.Prefetch(value);
            _newer.Total.Prefetch(value);
        }

        _older = _newer;
        _newer.Cell = null;
    }

    // The event's pane is open and its cells are known.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Start(ref SeriesCache.Entry entry, in InputRecord record)
    {
        _newer.Cell = entry.Cell;
        _newer.Total = entry.TotalCell!;
        _newer.Reader = _reader;
        _newer.Offset = record.Offset;
        _newer.IsError = entry.IsError;
        Prefetch(_newer.Cell!);
        Prefetch(_newer.Total);
        Note(ref entry, record);
        _readerIndex = _readerIndex == 2 ? 0 : _readerIndex + 1;
        _reader = _readers[_readerIndex];
    }

    void Note(ref SeriesCache.Entry entry, in InputRecord record)
    {
        Statistics.Accepted++;
        if (entry.IsMisrouted) Statistics.Misrouted++;
        var pane = entry.Table!;
        pane.MarkDirty(entry.Id);
        pane.MarkDirty(entry.TotalId);
        if (!_isQueued[entry.Id]) Enqueue(_registry.ById(entry.Id)!, record.LogTime);
        if (!_isQueued[entry.TotalId]) Enqueue(_registry.ById(entry.TotalId)!, record.LogTime);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Finish(ref StartedEvent started)
    {
        AddTo(started.Cell!, started.Reader, started.IsError, started.Offset);
        AddTo(started.Total, started.Reader, started.IsError, started.Offset);
    }

    // Before anything looks at cells or counts in another way.
    void FinishStarted()
    {
        if (_older.Cell != null) Finish(ref _older);
        if (_newer.Cell != null) Finish(ref _newer);
        _older.Cell = null;
        _newer.Cell = null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static unsafe void Prefetch(Accumulator cell)
    {
        if (!Sse.IsSupported) return;
        // A hint only: nothing is wrong when the object moves meanwhile.
        var address = *(byte**)Unsafe.AsPointer(ref cell);
        Sse.Prefetch0(address);
        Sse.Prefetch0(address + CacheLine);
        Sse.Prefetch0(address + 2 * CacheLine);
    }
}
