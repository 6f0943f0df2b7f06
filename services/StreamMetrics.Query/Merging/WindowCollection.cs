using StreamMetrics.Query.Stores;

namespace StreamMetrics.Query.Merging;

/// <summary>
/// Collects stored windows of several sizes and from both stores such that every event is in one of them: of two values of a window it
/// keeps the better one, and it leaves out a window that lies within a larger one of the same series.
/// </summary>
sealed class WindowCollection
{
    readonly Dictionary<Key, StoredWindow> _windows = [];
    readonly SortedSet<long> _sizes = [];

    readonly record struct Key(string TagsHash, long SizeMs, long Start);

    public int Count => _windows.Count;

    public void Add(StoredWindow window)
    {
        var key = new Key(window.TagsHash, window.SizeMs, window.Value.Start);
        _sizes.Add(window.SizeMs);
        if (!_windows.TryGetValue(key, out var other) || window.Supersedes(other)) _windows[key] = window;
    }

    public void AddRange(IEnumerable<StoredWindow> windows)
    {
        foreach (var window in windows) Add(window);
    }

    /// <summary>The windows, each event once.</summary>
    public IEnumerable<StoredWindow> Disjoint() => _sizes.Count <= 1 ? _windows.Values : _windows.Values.Where(w => !IsCovered(w));

    bool IsCovered(StoredWindow window)
    {
        foreach (var size in _sizes)
        {
            if (size <= window.SizeMs) continue;
            var start = window.Value.Start;
            if (_windows.ContainsKey(new(window.TagsHash, size, start - (start % size)))) return true;
        }

        return false;
    }
}
