using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace StreamMetrics.Archiver;

/// <summary>Section <c>Archiver</c>.</summary>
sealed class ArchiverOptions
{
    public const string Section = "Archiver";

    /// <summary>Consumer group: every archiver of one database is in the same.</summary>
    [Required, RegularExpression(@"[A-Za-z0-9._-]{1,200}")]
    public string ConsumerGroup { get; set; } = "streammetrics-archiver";

    /// <summary>
    /// Name of this instance in the group (Kafka's <c>group.instance.id</c>), different for each: one that was killed has its partitions back
    /// as soon as it is restarted. Without a name that takes until the session of the dead one has timed out (10 s).
    /// </summary>
    [RegularExpression(@"[A-Za-z0-9._-]{1,200}")]
    public string? InstanceId { get; set; }

    /// <summary>Most aggregates written in one database transaction.</summary>
    [Range(1, 100_000)]
    public int MaxBatchRecords { get; set; } = 5_000;

    /// <summary>How long a batch waits for more after its first aggregate.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:10")]
    public TimeSpan BatchDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Days for which partitions are created in advance.</summary>
    [Range(1, 60)]
    public int PartitionDaysAhead { get; set; } = 7;

    /// <summary>How long after its end an hour or a day is rolled up; what comes later has it computed again.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan RollupDelay { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// How long final windows are kept. Not less than 30 days: an event may be 7 days old, and one that was set aside can be replayed for 14
    /// days; a correction must find the windows of its hour.
    /// </summary>
    [Range(typeof(TimeSpan), "30.00:00:00", "36500.00:00:00")]
    public TimeSpan RawRetention { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long hours are kept.</summary>
    [Range(typeof(TimeSpan), "30.00:00:00", "36500.00:00:00")]
    public TimeSpan HourlyRetention { get; set; } = TimeSpan.FromDays(366);

    /// <summary>How long days are kept.</summary>
    [Range(typeof(TimeSpan), "30.00:00:00", "36500.00:00:00")]
    public TimeSpan DailyRetention { get; set; } = TimeSpan.FromDays(3 * 366);

    /// <summary>How long the start waits for PostgreSQL.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan StartupTimeout { get; set; } = TimeSpan.FromSeconds(60);
}

[OptionsValidator]
sealed partial class ArchiverOptionsValidator : IValidateOptions<ArchiverOptions>;
