namespace StreamMetrics.Streams.Worker;

/// <summary>The end of an input partition that nobody appends to.</summary>
static class BoundedInput
{
    /// <summary>Whether a task has processed everything, closed every window and committed. Moves the engine's clock as far as its windows need.</summary>
    /// <param name="task">The task.</param>
    /// <param name="end">End offset of its partition.</param>
    public static bool IsDone(PartitionTask task, long end)
    {
        if (task.State != TaskState.Running || task.Position < end) return false;
        while (task.Engine!.NextFinalTime is { } due) task.Engine.MoveClock(due);
        task.CommitNow();
        return !task.Engine.HasChanges && !task.Engine.HasFinals && task.Committed >= end;
    }
}
