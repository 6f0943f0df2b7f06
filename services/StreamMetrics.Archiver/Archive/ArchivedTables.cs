using System.Globalization;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Rollups;

namespace StreamMetrics.Archiver.Archive;

/// <summary>The tables whose partitions expire, and how a user names one of these: <c>2026-11-22</c>, <c>2026-11</c>, <c>2026</c>.</summary>
static class ArchivedTables
{
    /// <summary>Final windows by day, hours by month, days by year.</summary>
    public static readonly IReadOnlyList<PartitionedTable> All = [PartitionedTable.Aggregates, .. RollupTier.All.Select(t => t.Table)];

    public static PartitionedTable? Find(string table) => All.FirstOrDefault(t => t.Name == table);

    /// <summary>The partition that a date or a partition's own name means; null when it is neither.</summary>
    public static string? Parse(string text)
    {
        if (All.Select(t => t.Parse(text)).FirstOrDefault(p => p is not null) is { } named) return named.Name;
        string[] formats = ["yyyy-MM-dd", "yyyy-MM", "yyyy"];
        for (var i = 0; i < formats.Length; i++)
        {
            if (DateTimeOffset.TryParseExact(text, formats[i], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant))
                return All[i].At(instant).Name;
        }

        return null;
    }
}
