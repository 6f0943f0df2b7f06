namespace StreamMetrics.Streams.Worker;

/// <summary>Pauses between attempts: exponential, capped, with "equal jitter" (half fixed, half random), so that instances do not retry in step.</summary>
/// <param name="first">Pause after the first failure.</param>
/// <param name="longest">Cap.</param>
/// <param name="random">Source of the jitter.</param>
sealed class Backoff(TimeSpan first, TimeSpan longest, Random random)
{
    /// <summary>Failures since the last success.</summary>
    public int Failures { get; private set; }

    /// <summary>Counts a failure and returns the pause after it, between half and all of min(first · 2ⁿ, longest).</summary>
    public TimeSpan Next()
    {
        var full = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(Failures, 30)), longest.TotalMilliseconds);
        Failures++;
        return TimeSpan.FromMilliseconds(full / 2 * (1 + random.NextDouble()));
    }

    /// <summary>Forgets the failures.</summary>
    public void Reset() => Failures = 0;
}
