using System.Diagnostics.CodeAnalysis;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// What a task holds between two suspensions: its producer, the restored engine and the step that uses them. Thrown away as a whole.
/// </summary>
/// <param name="partition">Input partition.</param>
/// <param name="context">Makes producer and engine.</param>
[SuppressMessage("Design", "CA1001", Justification = "The token source has neither timer nor wait handle: there is nothing to dispose of.")]
sealed class TaskSession(int partition, TaskContext context)
{
    readonly CancellationTokenSource _abandoned = new();

    /// <summary>The producer, once the restore has made it.</summary>
    public PartitionProducer? Producer { get; private set; }

    /// <summary>What the restore found; set when it has ended well.</summary>
    public RestoredPartition? Restored { get; private set; }

    /// <summary>The restore or commit that was started last; null before the first.</summary>
    public BackgroundStep? Step { get; private set; }

    /// <summary>Starts the restore.</summary>
    /// <param name="after">Step that must have ended before, since it uses the same transactional id.</param>
    public void BeginRestore(BackgroundStep? after) => Step = BackgroundStep.Start($"restore-{partition}", () =>
    {
        after?.Wait(Timeout.InfiniteTimeSpan);
        _abandoned.Token.ThrowIfCancellationRequested();
        Producer = context.CreateProducer(partition);
        Restored = context.Restorer.Restore(partition, Producer, _abandoned.Token);
    });

    /// <summary>Starts the end of a commit whose records have been sent.</summary>
    /// <param name="offset">Next input offset.</param>
    public void BeginCommit(long offset)
    {
        var membership = context.Membership();
        var producer = Producer!;
        Step = BackgroundStep.Start($"commit-{partition}", () => producer.Commit(offset, membership));
    }

    /// <summary>Ends the session: on a thread of its own, waits for the step under way, which uses the producer, and closes the producer.</summary>
    /// <returns>The step that does it.</returns>
    public BackgroundStep Abandon()
    {
        _abandoned.Cancel();
        return BackgroundStep.Start($"close-{partition}", () =>
        {
            Step?.Wait(Timeout.InfiniteTimeSpan);
            Producer?.Dispose();
        });
    }
}
