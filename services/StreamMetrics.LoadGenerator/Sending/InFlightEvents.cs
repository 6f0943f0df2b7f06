namespace StreamMetrics.LoadGenerator.Sending;

/// <summary>An event on its way, as much of it as the ledger needs.</summary>
struct InFlightEvent
{
    public long Timestamp;
    public double Value;
    public long Created;
    public int Metric;
    public EventKind Kind;
    public bool IsDone;
}

/// <summary>
/// The events that are not acknowledged yet, in the order in which they were sent: a ring whose places are reused when all before them are
/// done. Numbers count on; a place is number mod its capacity.
/// </summary>
sealed class InFlightEvents
{
    /// <summary>More than fit into the buffer of the Kafka client, which therefore pushes back first.</summary>
    const int Capacity = 1 << 18;
    const int Mask = Capacity - 1;

    readonly InFlightEvent[] _events = new InFlightEvent[Capacity];
    long _first;
    long _next;

    public bool IsFull => _next - _first == Capacity;

    public bool IsEmpty => _next == _first;

    /// <summary>From the oldest on its way to the newest; some between may be done.</summary>
    public long Count => _next - _first;

    /// <summary>The number the next event gets.</summary>
    public long NextNumber => _next;

    public void Add(in InFlightEvent added)
    {
        _events[_next & Mask] = added;
        _next++;
    }

    public InFlightEvent Complete(long number)
    {
        ref var completed = ref _events[number & Mask];
        completed.IsDone = true;
        var result = completed;
        while (_first < _next && _events[_first & Mask].IsDone) _first++;
        return result;
    }

    /// <summary>When the oldest event on its way was created, ms since the epoch; null when there is none.</summary>
    public long? OldestCreated => IsEmpty ? null : _events[_first & Mask].Created;
}
