using System.Diagnostics;
using System.Text;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>What one task tells the outside: logs, metrics, spans, status.</summary>
/// <param name="partition">Input partition.</param>
/// <param name="context">What all tasks share.</param>
sealed class TaskReporter(int partition, TaskContext context)
{
    /// <summary>Most events of one commit that are followed; more would cost more than they tell.</summary>
    const int MaxTraced = 16;

    /// <summary>Spans of traced events, from their processing until the commit that makes it durable.</summary>
    readonly List<Activity> _traced = [];
    EngineTotals _before;
    CommitOutput? _output;
    Activity? _activity;
    long _newest;
    double _commitMs;
    Exception? _poison;

    /// <summary>Why the last poisonous record failed.</summary>
    public string PoisonMessage => _poison is null ? "Processing failed." : $"Processing failed: {_poison.GetType().Name}: {_poison.Message}";

    /// <summary>A record could not be processed.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="attempts">Attempts so far.</param>
    /// <param name="error">Why.</param>
    public void Poisoned(long offset, int attempts, Exception error)
    {
        _poison = error;
        context.Metrics.Failed(attempts < context.Options.MaxAttempts ? "retry" : "dead-letter");
        Log.RecordFailed(context.Logger, error, partition, offset, attempts);
    }

    /// <summary>A restore has ended well.</summary>
    /// <param name="restored">Its result.</param>
    /// <param name="duration">Time it took.</param>
    public void Restored(RestoredPartition restored, TimeSpan duration)
    {
        _before = default;
        context.Metrics.Restored(partition, duration);
        Log.TaskRestored(context.Logger, partition, restored.Position, restored.Records, (long)duration.TotalMilliseconds);
    }

    /// <summary>Writes a commit's records.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="producer">Takes them.</param>
    public void WriteCommit(PartitionEngine engine, PartitionProducer producer)
    {
        // Only commits with a traced event have a span: the others would be most of all traces, and tell nothing.
        _activity = _traced.Count == 0 ? null : Tracing.StartCommit(partition, _traced);
        foreach (var span in _traced) span.Dispose();
        _traced.Clear();
        _newest = engine.Watermark;
        _output = new CommitOutput(producer, _activity?.Context, context.Catalog);
        engine.WriteCommit(_output);
    }

    /// <summary>The commit was acknowledged.</summary>
    /// <param name="duration">Time since its start.</param>
    public void CommitEnded(TimeSpan duration)
    {
        var latency = context.Time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(_newest);
        _commitMs = duration.TotalMilliseconds;
        context.Metrics.Committed(partition, duration, latency, _output!.Aggregates, _output.DeadLetters);
        _activity?.SetTag("streammetrics.aggregates", _output.Aggregates).SetTag("streammetrics.state.records", _output.StateRecords);
        EndActivity(ActivityStatusCode.Ok);
    }

    /// <summary>A restore or commit failed and will be dealt with.</summary>
    /// <param name="next">What happens next.</param>
    /// <param name="error">What happened.</param>
    public void Failed(string next, Exception error)
    {
        EndActivity(ActivityStatusCode.Error);
        context.Metrics.Failed(next);
        Log.TaskFailed(context.Logger, partition, next, error.Message);
    }

    /// <summary>Follows an event that its producer traces, until the next commit.</summary>
    /// <param name="traceParent">Value of the W3C header.</param>
    public void Link(ReadOnlySpan<byte> traceParent)
    {
        if (_traced.Count >= MaxTraced || traceParent.Length != TraceHeaders.TraceParentLength || !Tracing.Source.HasListeners()) return;
        if (!ActivityContext.TryParse(Encoding.ASCII.GetString(traceParent), null, isRemote: true, out var remote)) return;
        if (Tracing.StartProcess(partition, remote) is { } span) _traced.Add(span);
    }

    /// <summary>Reports the partition's figures to the metrics.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="committed">Input offset committed last.</param>
    /// <param name="end">End of the log as far as known.</param>
    public PartitionStatus Report(PartitionEngine engine, long committed, long end)
    {
        var counts = engine.Statistics;
        var status = new PartitionStatus
        {
            Partition = partition,
            Owner = context.Owner,
            Time = context.Time.GetUtcNow().ToUnixTimeMilliseconds(),
            Position = engine.Position,
            Committed = committed,
            Watermark = engine.Watermark,
            OpenWindows = counts.OpenWindows,
            Series = counts.Series,
            Events = counts.Events,
            Aggregates = counts.Finals + counts.Corrections,
            DeadLetters = counts.DeadLetters,
            Late = counts.Corrected + counts.Late,
            CommitMs = _commitMs,
        };
        var now = new EngineTotals(status.Events, status.Late, counts.Misrouted, counts.Overflowed);
        context.Metrics.Report(status, end, now.Since(_before));
        _before = now;
        return status;
    }

    void EndActivity(ActivityStatusCode code)
    {
        _activity?.SetStatus(code).Dispose();
        _activity = null;
    }
}
