namespace StreamMetrics.Contracts;

/// <summary>What <see cref="RedisKeys.Catalog"/> says of a metric or series.</summary>
/// <param name="MetricType">Kind of metric.</param>
/// <param name="Unit">Unit of the values.</param>
/// <param name="Tags">Tags of a series; empty for a total.</param>
/// <param name="LastSeen">Log time of the last event, ms since the epoch.</param>
public sealed record CatalogEntry(string MetricType, string Unit, IReadOnlyDictionary<string, string> Tags, long LastSeen);

/// <summary>State of one input partition as its owner sees it. Counters count since the owner took the partition.</summary>
public sealed record PartitionStatus
{
    /// <summary>Partition of <see cref="Topics.Events"/>.</summary>
    public required int Partition { get; init; }

    /// <summary>Instance that owns it.</summary>
    public required string Owner { get; init; }

    /// <summary>Wall-clock time of this status, ms since the epoch.</summary>
    public required long Time { get; init; }

    /// <summary>Next offset to process.</summary>
    public required long Position { get; init; }

    /// <summary>Input offset committed last.</summary>
    public required long Committed { get; init; }

    /// <summary>Largest log time seen, ms since the epoch.</summary>
    public required long Watermark { get; init; }

    /// <summary>Windows that are not final yet, over all series.</summary>
    public required long OpenWindows { get; init; }

    /// <summary>Series that are alive.</summary>
    public required long Series { get; init; }

    /// <summary>Events processed.</summary>
    public required long Events { get; init; }

    /// <summary>Aggregates emitted (finals and corrections).</summary>
    public required long Aggregates { get; init; }

    /// <summary>Events that were dead-lettered.</summary>
    public required long DeadLetters { get; init; }

    /// <summary>Late events, corrected or beyond the horizon.</summary>
    public required long Late { get; init; }

    /// <summary>Duration of the last commit, ms.</summary>
    public required double CommitMs { get; init; }

    /// <summary>p99 over the last seconds from log time of an event to its provisional value in Redis, ms; null when nothing was written.</summary>
    public double? VisibleP99Ms { get; init; }

    /// <summary>Whether <see cref="VisibleP99Ms"/> is that of watched series: the others are held back on purpose, and count only where nobody watches any.</summary>
    public bool VisibleWatched { get; init; }
}
