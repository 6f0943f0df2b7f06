namespace StreamMetrics.EmbeddedKafka.Tests;

static class Wait
{
    /// <summary>Waits for a condition, long enough for a loaded machine.</summary>
    public static async Task ForAsync(Func<bool> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromSeconds(60)) throw new TimeoutException($"Waited 60 s for: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
