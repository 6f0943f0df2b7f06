namespace StreamMetrics.EmbeddedKafka;

/// <summary>What a fetch of one partition sees, taken under one lock so that limit and aborted transactions belong together.</summary>
internal struct FetchView
{
    public ErrorCode Error;
    public long EndOffset;
    public long LastStableOffset;
    public long StartOffset;

    /// <summary>Data at and after this offset is not returned.</summary>
    public long Limit;

    /// <summary>Null when not asked for (read_uncommitted).</summary>
    public List<AbortedTransaction>? Aborted;

    /// <summary>Null when there is nothing to read.</summary>
    public Segment? Segment;

    public long Offset;

    /// <summary>Where to look for the offset, and whether it is known to start there.</summary>
    public long Position;
    public bool IsExact;
}

internal sealed partial class PartitionLog
{
    const int HintCount = 4;

    /// <summary>Where the last reads ended: consumers go on reading there, which saves the search.</summary>
    readonly (long Offset, Segment? Segment, long Position)[] _hints = new (long, Segment?, long)[HintCount];
    int _nextHint;

    /// <summary>What a fetch at an offset may return.</summary>
    public FetchView View(long offset, bool committedOnly, int maxBytes)
    {
        lock (_gate)
        {
            var view = new FetchView { EndOffset = _endOffset, StartOffset = _startOffset, LastStableOffset = LastStable(), Offset = offset };
            view.Limit = committedOnly ? view.LastStableOffset : _endOffset;
            if (_closed) view.Error = ErrorCode.UnknownTopicOrPartition;
            else if (offset < _startOffset || offset > _endOffset) view.Error = ErrorCode.OffsetOutOfRange;
            if (view.Error != ErrorCode.None) return view;
            if (committedOnly) view.Aborted = [];
            if (offset >= view.Limit) return view;

            view.Segment = FindSegment(offset);
            foreach (var hint in _hints)
            {
                if (hint.Offset != offset || hint.Segment != view.Segment) continue;
                (view.Position, view.IsExact) = (hint.Position, true);
                break;
            }

            if (!view.IsExact) view.Position = view.Segment.FloorPosition(offset);
            if (committedOnly) CollectAborted(view.Aborted!, offset, Math.Min(view.Limit, UpperBound(view, maxBytes)));
            return view;
        }
    }

    /// <summary>
    /// An offset above every batch that the fetch can return: the read may start anywhere up to the next index entry, and its first batch comes whole. Naming
    /// too many aborted transactions does no harm; one too few would let its records through.
    /// </summary>
    static long UpperBound(in FetchView view, int maxBytes)
    {
        var latestStart = view.IsExact ? view.Position : view.Segment!.CeilingPosition(view.Offset);
        return view.Segment!.OffsetAtOrAfter(latestStart + Math.Max(1, maxBytes));
    }

    /// <summary>Bytes that a fetch at an offset could return, at least 1 when there are any; an estimate from the index. -1: the fetch is in error.</summary>
    public long Available(long offset, bool committedOnly)
    {
        lock (_gate)
        {
            if (_closed || offset < _startOffset || offset > _endOffset) return -1;
            var limit = committedOnly ? LastStable() : _endOffset;
            if (offset >= limit) return 0;
            var active = Active;
            if (offset < active.BaseOffset) return active.Size + 1;
            var end = limit == _endOffset ? active.Size : active.FloorPosition(limit);
            return Math.Max(1, end - active.FloorPosition(offset));
        }
    }

    /// <summary>
    /// Copies whole batches, beginning with the one that contains the view's offset, into the output: at most <paramref name="maxBytes"/>, but
    /// with <paramref name="wholeFirst"/> at least one batch whatever its size (KIP-74).
    /// </summary>
    public int CopyBatches(ref FetchView view, WireWriter output, int maxBytes, bool wholeFirst)
    {
        if (view.Segment is null || (maxBytes <= 0 && !wholeFirst)) return 0;
        try
        {
            var segment = view.Segment;
            var size = segment.Size;
            var position = view.IsExact ? view.Position : FindExact(segment, view.Position, view.Offset);
            if (position >= size) return 0;
            var room = output.Room((int)Math.Min(maxBytes, size - position));
            var read = RandomAccess.Read(segment.File, room, position);
            var (length, next) = WholeBatches(room[..read], view.Limit);
            if (length == 0 && wholeFirst)
            {
                var first = FirstBatchSize(segment, position, view.Limit);
                if (first == 0) return 0;
                room = output.Room(first);
                read = RandomAccess.Read(segment.File, room, position);
                (length, next) = WholeBatches(room[..read], view.Limit);
            }

            if (length == 0) return 0;
            output.Advance(length);
            RememberHint(segment, next, position + length);
            return length;
        }
        catch (ObjectDisposedException)
        {
            // The segment was removed or compacted after the view was taken; the next fetch sees the new one.
            return 0;
        }
    }

    void RememberHint(Segment segment, long offset, long position)
    {
        lock (_gate)
        {
            _hints[_nextHint] = (offset, segment, position);
            _nextHint = (_nextHint + 1) % HintCount;
        }
    }

    void CollectAborted(List<AbortedTransaction> into, long fetchOffset, long upper)
    {
        // Sorted by marker: one whose marker lies below the fetch offset must not be sent, or the client would drop good data of that producer.
        var all = _producers.Aborted;
        int low = 0, high = all.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (all[middle].MarkerOffset < fetchOffset) low = middle + 1;
            else high = middle;
        }

        for (var i = low; i < all.Count; i++)
        {
            if (all[i].FirstOffset < upper) into.Add(all[i]);
        }

        into.Sort(static (a, b) => a.FirstOffset.CompareTo(b.FirstOffset));
    }

    /// <summary>The segment that holds an offset, or, when the offset lies in a hole, the one with the next batch.</summary>
    Segment FindSegment(long offset)
    {
        int low = 0, high = _segments.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            if (_segments[middle].BaseOffset <= offset) low = middle;
            else high = middle - 1;
        }

        while (offset >= _segments[low].NextOffset && low < _segments.Length - 1) low++;
        return _segments[low];
    }

    static long FindExact(Segment segment, long position, long offset)
    {
        Span<byte> header = stackalloc byte[BatchHeader.Size];
        for (var size = segment.Size; position < size;)
        {
            if (RandomAccess.Read(segment.File, header, position) < header.Length) break;
            var (_, length, last) = BatchHeader.ReadExtent(header);
            if (last >= offset) return position;
            position += length;
        }

        return segment.Size;
    }

    static (int Length, long NextOffset) WholeBatches(ReadOnlySpan<byte> data, long limit)
    {
        var length = 0;
        long next = -1;
        while (data.Length - length >= BatchHeader.Size)
        {
            var (offset, size, last) = BatchHeader.ReadExtent(data[length..]);
            if (offset >= limit || size > data.Length - length) break;
            length += size;
            next = last + 1;
        }

        return (length, next);
    }

    static int FirstBatchSize(Segment segment, long position, long limit)
    {
        Span<byte> header = stackalloc byte[BatchHeader.Size];
        if (RandomAccess.Read(segment.File, header, position) < header.Length) return 0;
        var (offset, size, _) = BatchHeader.ReadExtent(header);
        return offset >= limit ? 0 : size;
    }
}
