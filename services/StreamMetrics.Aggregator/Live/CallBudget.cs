namespace StreamMetrics.Aggregator.Live;

/// <summary>
/// A token bucket over the script calls of the process. A part is kept for watched series, so that the others cannot starve them.
/// Safe for all threads.
/// </summary>
/// <param name="perSecond">Calls per second.</param>
/// <param name="time">Clock.</param>
sealed class CallBudget(int perSecond, TimeProvider time)
{
    /// <summary>Calls that may come at once: what a tenth of a second allows.</summary>
    readonly double _capacity = Math.Max(1, perSecond / 10.0);
    readonly Lock _lock = new();
    double _tokens = Math.Max(1, perSecond / 10.0);
    long _filledAt = time.GetTimestamp();

    /// <summary>Takes one call.</summary>
    /// <param name="watched">Whether it is for a watched series, which may use the whole bucket.</param>
    /// <returns>False when there is none left.</returns>
    public bool TryTake(bool watched)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(_capacity, _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond));
            _filledAt = now;
            if (_tokens < (watched ? 1 : 1 + (_capacity / 4))) return false;
            _tokens--;
            return true;
        }
    }
}
