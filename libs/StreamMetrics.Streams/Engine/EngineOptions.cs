namespace StreamMetrics.Streams;

/// <summary>A tumbling window size: [n·Size, (n+1)·Size) for every n, aligned to the epoch.</summary>
public sealed class WindowOptions
{
    /// <summary>Name in keys, topics and APIs, 1-16 characters of <c>[A-Za-z0-9-]</c>.</summary>
    public string Name { get; set; } = "";

    /// <summary>Length: a multiple of the pane, at most 1 day.</summary>
    public TimeSpan Size { get; set; }
}

/// <summary>What the engine is told. The defaults are those of the product; <see cref="Validate"/> checks all of it.</summary>
public sealed class EngineOptions
{
    static readonly WindowOptions[] DefaultWindows =
    [
        new() { Name = Contracts.WindowNames.OneMinute, Size = TimeSpan.FromMinutes(1) },
        new() { Name = Contracts.WindowNames.FiveMinutes, Size = TimeSpan.FromMinutes(5) },
        new() { Name = Contracts.WindowNames.FifteenMinutes, Size = TimeSpan.FromMinutes(15) },
    ];

    /// <summary>Length of a pane, the unit that every window is a union of; whole seconds that divide a minute.</summary>
    public TimeSpan Pane { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Tumbling windows, at most 8; empty: 1m, 5m and 15m.</summary>
    public List<WindowOptions> Windows { get; set; } = [];

    /// <summary>Name of the sliding window, which advances by one pane and is in the live lane only; empty switches it off.</summary>
    public string SlidingName { get; set; } = Contracts.WindowNames.SlidingMinute;

    /// <summary>Length of the sliding window: a multiple of the pane, at most 64 panes.</summary>
    public TimeSpan SlidingSize { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>A window [s, e) is final when the watermark is ≥ e + Grace. 0 to 5 minutes.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>An event more than this ahead of the watermark is refused (<c>future-timestamp</c>). 0 to 10 minutes.</summary>
    public TimeSpan MaxFuture { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>An event more than this behind the watermark is refused (<c>too-old</c>). At least the horizon.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(7);

    /// <summary>A late event at most this far behind the watermark corrects final windows; one further behind goes to <c>metrics-late</c>. At least Grace.</summary>
    public TimeSpan CorrectionHorizon { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a replay's id is remembered: the retention of the dead letter and late topics.</summary>
    public TimeSpan ReplayRetention { get; set; } = TimeSpan.FromDays(14);

    /// <summary>Most series of one service; what is above is folded into its overflow series. 1 to 1,000,000.</summary>
    public int MaxSeriesPerService { get; set; } = 2_000;

    /// <summary>Most series of the partition; what is above is folded into the overflow series of its service. 1 to 10,000,000.</summary>
    public int MaxSeriesPerPartition { get; set; } = 200_000;

    /// <summary>
    /// Tags that make the series of a metric, by metricName; a metric that is not named here keeps all tags. <c>statusClass</c> names the
    /// derived field 2xx … 5xx.
    /// </summary>
    public Dictionary<string, List<string>> GroupBy { get; set; } = [];

    /// <summary>Number of partitions of the input topic, to count events that another producer put elsewhere; 0 switches the check off.</summary>
    public int InputPartitions { get; set; }

    /// <summary>Checks every value.</summary>
    /// <param name="section">Configuration section that the options come from, for the messages, e.g. <c>Aggregator:Engine</c>.</param>
    /// <returns>One message per broken rule, naming key, value and rule; empty when all is well.</returns>
    public IReadOnlyList<string> Validate(string section) => new EngineOptionsChecks(this, section).Run();

    /// <summary><see cref="Windows"/>, or what stands for them when they are empty.</summary>
    internal IReadOnlyList<WindowOptions> EffectiveWindows => Windows.Count > 0 ? Windows : DefaultWindows;
}
