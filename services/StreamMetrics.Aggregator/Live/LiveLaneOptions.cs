namespace StreamMetrics.Aggregator.Live;

/// <summary>The live lane: provisional values in Redis.</summary>
sealed class LiveLaneOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Aggregator:Live";

    /// <summary>Whether provisional values are written at all.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>A watched series is written at most so often. 1 ms to 1 second.</summary>
    public TimeSpan WatchedInterval { get; set; } = TimeSpan.FromMilliseconds(15);

    /// <summary>A series nobody watches is written at most so often. 10 ms to 1 minute.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Most script calls per second of this process; beyond it the interval stretches. 10 to 100,000.</summary>
    public int MaxCallsPerSecond { get; set; } = 5_000;

    /// <summary>How long Redis may take to answer. 10 ms to 10 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Checks every value.</summary>
    /// <returns>One message per broken rule, naming key, value and rule.</returns>
    public IEnumerable<string> Validate()
    {
        if (Outside(WatchedInterval, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1)))
            yield return Message(nameof(WatchedInterval), WatchedInterval, "from 1 ms to 1 s");
        if (Outside(Interval, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1))) yield return Message(nameof(Interval), Interval, "from 10 ms to 1 minute");
        if (MaxCallsPerSecond is < 10 or > 100_000) yield return Message(nameof(MaxCallsPerSecond), MaxCallsPerSecond, "from 10 to 100,000");
        if (Outside(Timeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10))) yield return Message(nameof(Timeout), Timeout, "from 10 ms to 10 s");
    }

    static bool Outside(TimeSpan value, TimeSpan least, TimeSpan most) => value < least || value > most;

    static string Message(string key, object value, string rule) => $"{Section}:{key} is '{value}'; it must be {rule}.";
}
