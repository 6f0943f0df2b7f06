namespace StreamMetrics.Query.Live;

/// <summary>
/// What waits to be sent to one client. A value replaces an older one of the same series that still waits, so a slow client gets fewer, newer
/// values, and what waits is bounded by the number of its series. Replies (acknowledgements, errors) are never replaced.
/// </summary>
sealed class Outbox(QueryMetrics metrics) : IDisposable
{
    readonly Lock _lock = new();
    readonly SemaphoreSlim _hasSome = new(0, 1);
    Dictionary<(string Subscription, string Series), byte[]> _values = [];
    List<byte[]> _replies = [];

    // what got a live value: the one that was there before is older
    readonly HashSet<(string Subscription, string Series)> _live = [];

    /// <summary>One message: a value of a subscription, or a reply, which has none.</summary>
    public readonly record struct Message(string? Subscription, byte[] Json);

    public int ReplyCount
    {
        get
        {
            lock (_lock) return _replies.Count;
        }
    }

    public void Put(string subscription, LiveValue value)
    {
        bool isReplaced;
        lock (_lock)
        {
            _live.Add((subscription, value.Series));
            isReplaced = !_values.TryAdd((subscription, value.Series), value.Json);
            if (isReplaced) _values[(subscription, value.Series)] = value.Json;
            Signal();
        }

        if (isReplaced) metrics.LiveValueCoalesced();
    }

    /// <summary>Puts the value that was there before the subscription, unless a live one came meanwhile.</summary>
    public void PutFirst(string subscription, LiveValue value)
    {
        lock (_lock)
        {
            if (_live.Contains((subscription, value.Series))) return;
            _values[(subscription, value.Series)] = value.Json;
            Signal();
        }
    }

    public void PutReply(byte[] json)
    {
        lock (_lock)
        {
            _replies.Add(json);
            Signal();
        }
    }

    /// <summary>Drops what waits of a subscription.</summary>
    public void Forget(string subscription)
    {
        lock (_lock)
        {
            _live.RemoveWhere(k => k.Subscription == subscription);
            foreach (var key in _values.Keys.Where(k => k.Subscription == subscription).ToList()) _values.Remove(key);
        }
    }

    /// <summary>Everything that waits, replies first; empty when nothing came within the time.</summary>
    public async Task<IReadOnlyList<Message>> TakeAsync(TimeSpan timeout, CancellationToken token)
    {
        if (!await _hasSome.WaitAsync(timeout, token)) return [];
        Dictionary<(string Subscription, string Series), byte[]> values;
        List<byte[]> replies;
        lock (_lock)
        {
            (values, _values) = (_values, []);
            (replies, _replies) = (_replies, []);
        }

        return [.. replies.Select(r => new Message(null, r)), .. values.Select(v => new Message(v.Key.Subscription, v.Value))];
    }

    public void Dispose() => _hasSome.Dispose();

    // called under the lock, so the count never exceeds one
    void Signal()
    {
        if (_hasSome.CurrentCount == 0) _hasSome.Release();
    }
}
