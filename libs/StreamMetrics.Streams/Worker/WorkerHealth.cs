namespace StreamMetrics.Streams.Worker;

/// <summary>Signs of life of a worker, written by its thread and read by health checks.</summary>
public sealed class WorkerHealth
{
    long _lastBeat;

    /// <summary>When the loop came round last; the epoch before the first time.</summary>
    public DateTimeOffset LastActivity => DateTimeOffset.FromUnixTimeMilliseconds(Volatile.Read(ref _lastBeat));

    internal void Beat(DateTimeOffset now) => Volatile.Write(ref _lastBeat, now.ToUnixTimeMilliseconds());
}
