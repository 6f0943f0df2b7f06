namespace StreamMetrics.EmbeddedKafka.Tests;

static class Wait
{
    /// <summary>How long to wait for what must come: long enough for a loaded machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Waits for a condition.</summary>
    public static async Task ForAsync(Func<bool> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Patience) throw new TimeoutException($"Waited {Patience.TotalSeconds} s for: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
