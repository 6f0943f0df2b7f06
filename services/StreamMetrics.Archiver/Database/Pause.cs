namespace StreamMetrics.Archiver.Database;

/// <summary>Lets a thread that is ours alone stand still for a while.</summary>
static class Pause
{
    /// <summary>Waits for a time of the given clock.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public static void On(TimeProvider time, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var over = new ManualResetEventSlim();
        using var timer = time.CreateTimer(state => ((ManualResetEventSlim)state!).Set(), over, duration, Timeout.InfiniteTimeSpan);
        over.Wait(cancellationToken);
    }
}
