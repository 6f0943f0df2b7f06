namespace StreamMetrics.Query.Tests.Support;

/// <summary>A wall clock that stands still until it is moved. Timers and elapsed time are real, since servers are.</summary>
sealed class FixedClock(DateTimeOffset now) : TimeProvider
{
    long _nowMs = now.ToUnixTimeMilliseconds();

    public long NowMs
    {
        get => Interlocked.Read(ref _nowMs);
        set => Interlocked.Exchange(ref _nowMs, value);
    }

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
}
