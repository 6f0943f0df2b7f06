using StreamMetrics.Archiver.Database;
using StreamMetrics.Contracts;

namespace StreamMetrics.Archiver.Rollups;

/// <summary>A tier of roll-ups: rows of a longer window, each the merge of the rows of a shorter one.</summary>
/// <param name="Name">Its name in <c>rollup_work</c>.</param>
/// <param name="Table">Where its rows are.</param>
/// <param name="Window">Its window's name.</param>
/// <param name="Unit">What PostgreSQL's <c>date_trunc</c> calls the length of its window.</param>
/// <param name="Length">The length of its window.</param>
/// <param name="Input">Where the rows are that it merges.</param>
/// <param name="InputWindow">Their window.</param>
sealed record RollupTier(string Name, PartitionedTable Table, string Window, string Unit, TimeSpan Length, PartitionedTable Input, string InputWindow)
{
    /// <summary>
    /// Hours, of the longest window that the engine emits: every event is in one of its windows just as in one of each other size, so four
    /// rows an hour and series say the same as sixty.
    /// </summary>
    public static readonly RollupTier Hourly = new(
        "hourly", new("metric_rollups_hourly", PartitionPeriod.Month), "1h", "hour", TimeSpan.FromHours(1), PartitionedTable.Aggregates, WindowNames.FifteenMinutes);

    /// <summary>Days of UTC, of hours.</summary>
    public static readonly RollupTier Daily = new(
        "daily", new("metric_rollups_daily", PartitionPeriod.Year), "1d", "day", TimeSpan.FromDays(1), Hourly.Table, Hourly.Window);

    /// <summary>All, each after the one it is made of.</summary>
    public static readonly IReadOnlyList<RollupTier> All = [Hourly, Daily];

    /// <summary>The tier that is made of this one; null for the last.</summary>
    public RollupTier? Next => All.FirstOrDefault(t => t.Input == Table);
}
