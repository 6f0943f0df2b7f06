namespace StreamMetrics.Client;

/// <summary>Lets something happen at most once in an interval. One thread.</summary>
sealed class Throttle(TimeProvider time, TimeSpan interval)
{
    long? _last;

    /// <summary>Whether it may happen now; if so, the interval begins anew.</summary>
    public bool IsDue()
    {
        var now = time.GetTimestamp();
        if (_last is { } last && time.GetElapsedTime(last, now) < interval) return false;
        _last = now;
        return true;
    }
}
