namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// Lets the fetch of one connection wait for data on its partitions. It stays subscribed to them between fetches, because a
/// consumer asks for the same partitions again; a signal costs an append one flag read unless the fetch is waiting.
/// </summary>
internal sealed class FetchWaiter(TimeProvider time) : IDisposable
{
    readonly Dictionary<PartitionLog, int> _subscriptions = [];
    TaskCompletionSource? _waiting;
    int _round;

    /// <summary>Starts a round: partitions not subscribed again before <see cref="EndRound"/> are let go.</summary>
    public void StartRound() => _round++;

    public void Subscribe(PartitionLog log)
    {
        if (!_subscriptions.ContainsKey(log)) log.AddWaiter(this);
        _subscriptions[log] = _round;
    }

    public void EndRound()
    {
        foreach (var (log, round) in _subscriptions)
        {
            if (round == _round) continue;
            log.RemoveWaiter(this);
            _subscriptions.Remove(log);
        }
    }

    /// <summary>Arms the waiter; what is appended from now on completes the wait.</summary>
    public void Arm() => Volatile.Write(ref _waiting, new(TaskCreationOptions.RunContinuationsAsynchronously));

    public void Disarm() => Volatile.Write(ref _waiting, null);

    public void Signal() => Volatile.Read(ref _waiting)?.TrySetResult();

    /// <summary>Waits for a signal, at most so long.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken closed)
    {
        var waiting = _waiting!;
        var timer = time.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetResult(), waiting, atMost, Timeout.InfiniteTimeSpan);
        await using (timer.ConfigureAwait(false))
        await using (closed.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), waiting).ConfigureAwait(false))
        {
            await waiting.Task.ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        foreach (var log in _subscriptions.Keys) log.RemoveWaiter(this);
        _subscriptions.Clear();
    }
}
