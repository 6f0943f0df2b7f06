using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>What all tasks of a worker share.</summary>
sealed record TaskContext
{
    public required WorkerOptions Options { get; init; }

    /// <summary>Name of this instance, for status and logs.</summary>
    public required string Owner { get; init; }

    public required StateRestorer Restorer { get; init; }

    public required Func<int, PartitionProducer> CreateProducer { get; init; }

    /// <summary>The consumer's membership as it is now.</summary>
    public required Func<IConsumerGroupMetadata> Membership { get; init; }

    public required AggregatorMetrics Metrics { get; init; }

    /// <summary>What is known of services; null: nothing.</summary>
    public IServiceCatalog? Catalog { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Called before each record is processed; null but in tests, which make records fail with it.</summary>
    public Action<int, long>? BeforeRecord { get; set; }

    public required ILogger Logger { get; init; }
}

/// <summary>
/// One input partition in one worker: the driver of <see cref="TaskState"/>. Restores and commits run on threads of their own
/// (<see cref="BackgroundStep"/>), so that a slow broker delays nobody else. The engine goes on with new records while a commit is under
/// way, which is safe because a commit that fails throws the whole engine away. At most one commit is under way.
/// </summary>
/// <remarks>Owned by the worker's thread. Nothing here waits but <see cref="Finish"/>.</remarks>
/// <param name="partition">Input partition.</param>
/// <param name="context">What all tasks share.</param>
/// <param name="predecessor">The last step of an earlier task of the partition; a restore waits for it.</param>
sealed class PartitionTask(int partition, TaskContext context, BackgroundStep? predecessor)
{
    /// <summary>Commits of a partition start at least this far apart, which is also how long a dead letter may wait.</summary>
    static readonly TimeSpan CommitSpacing = TimeSpan.FromMilliseconds(100);

    /// <summary>A fenced task waits so long before it restores: by then a heartbeat has told whether the partition is still ours.</summary>
    static readonly TimeSpan FencedPause = TimeSpan.FromSeconds(4);

    /// <summary>A state that does not fit its offset stays so: after this many restores a human is needed.</summary>
    const int MaxCorruptRestores = 3;

    readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(10), Random.Shared);
    readonly TaskReporter _reporter = new(partition, context);

    TaskSession? _session;
    bool _committing;
    long _commitOffset;
    long _lastCommit;
    long _suspendedAt;
    TimeSpan _pause;
    int _corruptRestores;
    long _poisonOffset = -1;
    int _poisonAttempts;

    /// <summary>Input partition.</summary>
    public int Partition { get; } = partition;

    /// <summary>Where it stands.</summary>
    public TaskState State { get; private set; } = TaskState.Created;

    /// <summary>The engine; only while <see cref="TaskState.Running"/>.</summary>
    public PartitionEngine? Engine { get; private set; }

    /// <summary>Next input offset.</summary>
    public long Position { get; private set; }

    /// <summary>Input offset committed last, by this task or before it.</summary>
    public long Committed { get; private set; }

    /// <summary>What still runs of sessions that were given up.</summary>
    public BackgroundStep? Leftover { get; private set; } = predecessor;

    /// <summary>How often the record at an offset was tried without result.</summary>
    /// <param name="offset">Input offset.</param>
    public int AttemptsOf(long offset) => offset == _poisonOffset ? _poisonAttempts : 0;

    /// <summary>Moves on what can move without waiting.</summary>
    public void Advance()
    {
        if (State is TaskState.Created || (State is TaskState.Suspended && context.Time.GetElapsedTime(_suspendedAt) >= _pause)) BeginRestore();
        else if (State is TaskState.Restoring && _session!.Step!.IsDone) EndRestore();
        else if (_committing && _session!.Step!.IsDone) EndCommit();
    }

    /// <summary>
    /// Processes a record, or sets it aside when it failed too often. After an unexpected failure the engine may be half changed: the task
    /// is suspended and the record tried again after the restore.
    /// </summary>
    /// <param name="record">The record; its offset is <see cref="Position"/> or later.</param>
    public void Process(in InputRecord record)
    {
        try
        {
            if (record.Attempts < context.Options.MaxAttempts)
            {
                context.BeforeRecord?.Invoke(Partition, record.Offset);
                Engine!.Process(record);
            }
            else
            {
                Engine!.Reject(WithAttempts(record, record.Attempts - 1), ReasonCodes.ProcessingFailed, _reporter.PoisonMessage);
            }

            Position = record.Offset + 1;
        }
#pragma warning disable CA1031 // whatever it was: after the last attempt the record is dead-lettered with it, so nothing is lost
        catch (Exception e)
#pragma warning restore CA1031
        {
            (_poisonAttempts, _poisonOffset) = (AttemptsOf(record.Offset) + 1, record.Offset);
            _reporter.Poisoned(record.Offset, _poisonAttempts, e);
            Suspend(_backoff.Next());
        }
    }

    /// <summary>Starts a commit when one is due: a window is final, dead letters wait, or the interval is over.</summary>
    public void CommitIfDue()
    {
        if (State != TaskState.Running || _committing || !Engine!.HasChanges) return;
        var since = context.Time.GetElapsedTime(_lastCommit);
        if (since >= context.Options.CommitInterval || (since >= CommitSpacing && (Engine.HasFinals || Engine.HasUrgent))) BeginCommit();
    }

    /// <summary>Starts a commit of what there is, due or not, if none is under way.</summary>
    public void CommitNow()
    {
        if (State == TaskState.Running && !_committing && Engine!.HasChanges) BeginCommit();
    }

    /// <summary>Commits everything before the partition is given back. Waits.</summary>
    /// <param name="timeout">Longest wait; what is not committed by then is left to the next owner.</param>
    /// <returns>True when everything is committed.</returns>
    public bool Finish(TimeSpan timeout)
    {
        var start = context.Time.GetTimestamp();
        while (State == TaskState.Running)
        {
            CommitNow();
            if (!_committing) return State == TaskState.Running;
            if (!_session!.Step!.Wait(timeout - context.Time.GetElapsedTime(start))) return false;
            EndCommit();
        }

        return false;
    }

    /// <summary>Gives the partition up: nothing is committed any more.</summary>
    public void Close()
    {
        if (State != TaskState.Suspended) Suspend(TimeSpan.Zero);
        MoveTo(TaskState.Closed);
        context.Metrics.Forget(Partition);
    }

    /// <summary>Status for metrics and the live lane.</summary>
    /// <param name="end">End of the log as far as known.</param>
    public PartitionStatus Report(long end) => _reporter.Report(Engine!, Committed, end);

    /// <summary>Notes the trace of an event, for the next commit to link to.</summary>
    /// <param name="traceParent">Value of the W3C header.</param>
    public void Link(ReadOnlySpan<byte> traceParent) => _reporter.Link(traceParent);

    // A dead letter says one attempt more than the record had before: the one that refused it. This record was not tried again.
    static InputRecord WithAttempts(in InputRecord record, int attempts) => new()
    {
        Offset = record.Offset,
        LogTime = record.LogTime,
        IsClock = record.IsClock,
        Replay = record.Replay,
        Key = record.Key,
        Value = record.Value,
        Attempts = attempts,
    };

    void BeginRestore()
    {
        MoveTo(TaskState.Restoring);
        _suspendedAt = context.Time.GetTimestamp();
        _session = new(Partition, context);
        _session.BeginRestore(Leftover);
    }

    void EndRestore()
    {
        if (_session!.Step!.Error is { } error)
        {
            Fail(error);
            return;
        }

        var restored = _session.Restored!;
        (Engine, Position, Committed, _corruptRestores) = (restored.Engine, restored.Position, restored.Position, 0);
        _lastCommit = context.Time.GetTimestamp();
        MoveTo(TaskState.Running);
        _reporter.Restored(restored, context.Time.GetElapsedTime(_suspendedAt));
    }

    void BeginCommit()
    {
        _lastCommit = context.Time.GetTimestamp();
        try
        {
            _session!.Producer!.Begin();
            _reporter.WriteCommit(Engine!, _session.Producer);
            _commitOffset = Position;
            _session.BeginCommit(_commitOffset);
            _committing = true;
        }
        catch (Exception e) when (e is StateCorruptedException or PartitionLostException)
        {
            Fail(e);
        }
    }

    void EndCommit()
    {
        _committing = false;
        if (_session!.Step!.Error is { } error)
        {
            Fail(error);
            return;
        }

        Committed = _commitOffset;
        _backoff.Reset();
        _reporter.CommitEnded(context.Time.GetElapsedTime(_lastCommit));
    }

    /// <summary>What happens after a failure follows from its type alone; what is neither is fatal and leaves the worker.</summary>
    void Fail(Exception error)
    {
        switch (error)
        {
            case PartitionLostException:
                _reporter.Failed("lost", error);
                Suspend(FencedPause);
                break;
            case StateCorruptedException { InnerException: not KafkaException } when State == TaskState.Restoring && ++_corruptRestores >= MaxCorruptRestores:
                throw new FatalWorkerException(error.Message, error);
            case StateCorruptedException:
                _reporter.Failed("restore", error);
                Suspend(_backoff.Next());
                break;
            default:
                throw new FatalWorkerException($"Partition {Partition}: {error.Message}", error);
        }
    }

    void Suspend(TimeSpan pause)
    {
        MoveTo(TaskState.Suspended);
        (_suspendedAt, _pause) = (context.Time.GetTimestamp(), pause);
        Leftover = _session?.Abandon() ?? Leftover;
        (_session, Engine, _committing) = (null, null, false);
    }

    void MoveTo(TaskState next)
    {
        if (!TaskStates.CanMove(State, next)) throw new InvalidOperationException($"Task {Partition} cannot move from {State} to {next}.");
        Log.TaskMoved(context.Logger, Partition, State, next);
        State = next;
    }
}
