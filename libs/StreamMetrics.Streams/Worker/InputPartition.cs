namespace StreamMetrics.Streams.Worker;

/// <summary>An assigned partition as the consumer sees it, beside the task that works on it.</summary>
/// <param name="task">The task.</param>
sealed class InputPartition(PartitionTask task)
{
    /// <summary>The task.</summary>
    public PartitionTask Task { get; } = task;

    /// <summary>True while the consumer fetches the partition; a new assignment does from the start.</summary>
    public bool IsFetched { get; set; } = true;

    /// <summary>True from the seek to <see cref="PartitionTask.Position"/> until the task is suspended.</summary>
    public bool IsAligned { get; set; }

    /// <summary>True when records are taken.</summary>
    public bool Flows => IsAligned && Task.State == TaskState.Running;

    /// <summary>Position that was sought again because the offsets after it were missing; -1 at first.</summary>
    public long SoughtAgain { get; set; } = -1;
}
