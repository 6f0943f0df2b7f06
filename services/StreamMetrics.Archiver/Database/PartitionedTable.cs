using System.Globalization;

namespace StreamMetrics.Archiver.Database;

/// <summary>A span of time that one partition of a table holds.</summary>
/// <param name="Name">Name of the partition, a table of its own.</param>
/// <param name="From">First instant, inclusive.</param>
/// <param name="To">End, exclusive.</param>
readonly record struct TablePartition(string Name, DateTimeOffset From, DateTimeOffset To);

/// <summary>A table that is partitioned by UTC time, and how long one partition is.</summary>
/// <param name="Name">Name of the table.</param>
/// <param name="Period">Length of a partition.</param>
sealed record PartitionedTable(string Name, PartitionPeriod Period)
{
    /// <summary>Final windows: one partition per day.</summary>
    public static readonly PartitionedTable Aggregates = new("metric_aggregates", PartitionPeriod.Day);

    /// <summary>The partition that an instant belongs to.</summary>
    public TablePartition At(DateTimeOffset instant)
    {
        var day = new DateTimeOffset(instant.UtcDateTime.Date, TimeSpan.Zero);
        var (from, to, format) = Period switch
        {
            PartitionPeriod.Day => (day, day.AddDays(1), "yyyyMMdd"),
            PartitionPeriod.Month => (day.AddDays(1 - day.Day), day.AddDays(1 - day.Day).AddMonths(1), "yyyyMM"),
            _ => (day.AddDays(1 - day.DayOfYear), day.AddDays(1 - day.DayOfYear).AddYears(1), "yyyy"),
        };
        return new($"{Name}_{from.ToString(format, CultureInfo.InvariantCulture)}", from, to);
    }

    /// <summary>The partition that has a name; null when it is not one that <see cref="At"/> gives.</summary>
    public TablePartition? Parse(string partition)
    {
        var prefix = $"{Name}_";
        if (!partition.StartsWith(prefix, StringComparison.Ordinal)) return null;
        string[] formats = ["yyyyMMdd", "yyyyMM", "yyyy"];
        var isDate = DateTimeOffset.TryParseExact(
            partition.AsSpan(prefix.Length), formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var from);
        return isDate && At(from) is var found && found.Name == partition ? found : null;
    }
}

/// <summary>How much time a partition spans.</summary>
enum PartitionPeriod
{
    /// <summary>A day of UTC.</summary>
    Day,

    /// <summary>A month of UTC.</summary>
    Month,

    /// <summary>A year of UTC.</summary>
    Year,
}
