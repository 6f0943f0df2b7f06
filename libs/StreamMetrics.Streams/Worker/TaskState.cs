namespace StreamMetrics.Streams.Worker;

/// <summary>Life of an input partition in one worker.</summary>
/// <remarks>
/// <code>
/// Created ─► Restoring ─► Running;   any of these ─► Suspended;   Suspended ─► Restoring | Closed
/// </code>
/// Suspended holds no state and no producer: whatever went wrong, the way back is a whole restore.
/// </remarks>
public enum TaskState
{
    /// <summary>Assigned, nothing done yet.</summary>
    Created,

    /// <summary>A thread of its own fences the previous owner and reads the state topic.</summary>
    Restoring,

    /// <summary>Records are processed and committed.</summary>
    Running,

    /// <summary>State and producer were thrown away; a restore follows after a pause, or the end.</summary>
    Suspended,

    /// <summary>The partition is not ours any more.</summary>
    Closed,
}

/// <summary>The table of allowed moves.</summary>
public static class TaskStates
{
    /// <summary>Whether a task may move.</summary>
    /// <param name="from">State it is in.</param>
    /// <param name="to">State it is to be in.</param>
    public static bool CanMove(TaskState from, TaskState to) => (from, to) switch
    {
        (TaskState.Created, TaskState.Restoring) => true,
        (TaskState.Restoring, TaskState.Running) => true,
        (TaskState.Created or TaskState.Restoring or TaskState.Running, TaskState.Suspended) => true,
        (TaskState.Suspended, TaskState.Restoring or TaskState.Closed) => true,
        _ => false,
    };
}
