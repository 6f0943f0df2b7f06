namespace StreamMetrics.Query.Tests.Support;

/// <summary>A wall clock that starts at a time of the test's choice and stands still, or goes on from there. Timers are real, since servers are.</summary>
sealed class FixedClock(DateTimeOffset start, bool goesOn = false) : TimeProvider
{
    readonly long _startedAt = System.GetTimestamp();

    public long NowMs => GetUtcNow().ToUnixTimeMilliseconds();

    public override DateTimeOffset GetUtcNow() => goesOn ? start + System.GetElapsedTime(_startedAt) : start;
}
