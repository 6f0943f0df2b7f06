namespace StreamMetrics.Aggregator.Live;

/// <summary>A snapshot of some series on its way to Redis. Owned by the engine's thread while it is filled, then by the sender, then free again.</summary>
/// <param name="lane">The partition's lane it belongs to.</param>
sealed class LiveBuffer(PartitionLane lane)
{
    readonly List<LiveEntry> _entries = [];

    /// <summary>The partition's lane it belongs to.</summary>
    public PartitionLane Lane { get; } = lane;

    /// <summary>Entries in use.</summary>
    public int Count { get; private set; }

    /// <summary>An entry in use.</summary>
    /// <param name="index">0 ≤ index &lt; <see cref="Count"/>.</param>
    public LiveEntry this[int index] => _entries[index];

    /// <summary>The next entry to fill.</summary>
    public LiveEntry Next()
    {
        if (Count == _entries.Count) _entries.Add(new());
        return _entries[Count++];
    }

    /// <summary>Empties the buffer.</summary>
    public void Clear() => Count = 0;
}
