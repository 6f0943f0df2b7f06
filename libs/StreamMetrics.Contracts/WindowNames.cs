namespace StreamMetrics.Contracts;

/// <summary>Names of the window sizes as they stand in keys, topics and APIs.</summary>
public static class WindowNames
{
    /// <summary>Tumbling, 60 s.</summary>
    public const string OneMinute = "1m";

    /// <summary>Tumbling, 300 s.</summary>
    public const string FiveMinutes = "5m";

    /// <summary>Tumbling, 900 s.</summary>
    public const string FifteenMinutes = "15m";

    /// <summary>Sliding, 60 s, advancing by 10 s; kept hot only.</summary>
    public const string SlidingMinute = "1m-10s";
}
