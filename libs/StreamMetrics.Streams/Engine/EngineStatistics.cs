namespace StreamMetrics.Streams;

/// <summary>Counters of one partition since the engine was made, for metrics and status; read and written by the owner thread.</summary>
public sealed class EngineStatistics
{
    /// <summary>Records processed that are no clock records.</summary>
    public long Events { get; internal set; }

    /// <summary>Clock records processed.</summary>
    public long ClockRecords { get; internal set; }

    /// <summary>Events that count in at least one window, directly or as correction.</summary>
    public long Accepted { get; internal set; }

    /// <summary>Events that went to the dead letter topic.</summary>
    public long DeadLetters { get; internal set; }

    /// <summary>Dead letters by reason code (<see cref="Contracts.ReasonCodes"/>).</summary>
    public IReadOnlyDictionary<string, long> DeadLettersByReason => DeadLetterCounts;

    /// <summary>Events that were added to at least one correction (window already final), replays included.</summary>
    public long Corrected { get; internal set; }

    /// <summary>Events beyond the correction horizon: they went to the late topic.</summary>
    public long Late { get; internal set; }

    /// <summary>Replayed records that were counted before and were dropped.</summary>
    public long ReplayDuplicates { get; internal set; }

    /// <summary>Events whose serviceId belongs to another partition.</summary>
    public long Misrouted { get; internal set; }

    /// <summary>Events that were folded into an overflow series.</summary>
    public long Overflowed { get; internal set; }

    /// <summary>Final aggregates made.</summary>
    public long Finals { get; internal set; }

    /// <summary>Corrections made.</summary>
    public long Corrections { get; internal set; }

    /// <summary>Series alive, totals not included.</summary>
    public int Series { get; internal set; }

    /// <summary>Totals alive.</summary>
    public int Totals { get; internal set; }

    /// <summary>Tumbling windows that hold events and are not final, over all series and totals.</summary>
    public int OpenWindows { get; internal set; }

    /// <summary>Corrections that wait for the watermark to pass the next pane boundary.</summary>
    public int PendingCorrections { get; internal set; }

    /// <summary>Late events and cardinality by service.</summary>
    public IReadOnlyCollection<ServiceStatistics> Services => ServiceCounts.Values;

    internal Dictionary<string, long> DeadLetterCounts { get; } = [];

    internal Dictionary<string, ServiceStatistics> ServiceCounts { get; } = [];
}

/// <summary>Counters of one service in one partition.</summary>
public sealed class ServiceStatistics
{
    /// <summary>The service.</summary>
    public required string ServiceId { get; init; }

    /// <summary>Series alive, overflow included.</summary>
    public int Series { get; internal set; }

    /// <summary>Events that corrected a final window.</summary>
    public long Corrected { get; internal set; }

    /// <summary>Events beyond the correction horizon.</summary>
    public long Late { get; internal set; }

    /// <summary>Events folded into the overflow series.</summary>
    public long Overflowed { get; internal set; }

    /// <summary>Estimate of the distinct series that were folded (HyperLogLog, standard error 3.3 %).</summary>
    public long OverflowedSeries { get; internal set; }

    /// <summary>Tag keys with the most distinct values seen when the guard struck, most first.</summary>
    public IReadOnlyList<TagCardinality> LargestTags { get; internal set; } = [];
}

/// <summary>How many values a tag has.</summary>
/// <param name="Key">Tag key.</param>
/// <param name="Values">Distinct values among the series of the service.</param>
public readonly record struct TagCardinality(string Key, int Values);
