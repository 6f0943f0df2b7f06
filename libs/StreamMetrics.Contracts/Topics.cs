using System.Collections.Frozen;

namespace StreamMetrics.Contracts;

/// <summary>A Kafka topic of the product: its name and the settings it is created with.</summary>
/// <param name="Name">The topic's name.</param>
/// <param name="Partitions">Number of partitions.</param>
/// <param name="ReplicationFactor">Copies wanted; at most the number of brokers is used.</param>
/// <param name="Settings">Topic settings by Kafka's names, all but <c>min.insync.replicas</c>, which follows from the copies there are.</param>
public sealed record TopicDefinition(string Name, int Partitions, short ReplicationFactor, FrozenDictionary<string, string> Settings);

/// <summary>Names and settings of every topic (docs/formats/topics.md).</summary>
public static class Topics
{
    /// <summary>Raw events; key = serviceId, log-append time.</summary>
    public const string Events = "metrics-events";

    /// <summary>Final one-minute windows and corrections.</summary>
    public const string Aggregated1m = "metrics-aggregated-1m";

    /// <summary>Final five-minute windows and corrections.</summary>
    public const string Aggregated5m = "metrics-aggregated-5m";

    /// <summary>Final fifteen-minute windows and corrections.</summary>
    public const string Aggregated15m = "metrics-aggregated-15m";

    /// <summary>Invalid events: the original bytes, the reason in headers.</summary>
    public const string DeadLetter = "metrics-dead-letter";

    /// <summary>Events beyond the correction horizon: the original bytes, the reason in headers.</summary>
    public const string Late = "metrics-late";

    /// <summary>State of the stream engine, compacted, co-partitioned with <see cref="Events"/>.</summary>
    public const string State = "streammetrics-state";

    /// <summary>The consumer group of the aggregators.</summary>
    public const string ProcessorGroup = "streammetrics-processors";

    static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>Every topic of the product, in the order in which they are created.</summary>
    public static IReadOnlyList<TopicDefinition> All { get; } =
    [
        Retained(Events, 6, 7 * Day, ("message.timestamp.type", "LogAppendTime"), ("max.message.bytes", "1048588")),
        Retained(Aggregated1m, 3, 7 * Day),
        Retained(Aggregated5m, 3, 30 * Day),
        Retained(Aggregated15m, 3, 30 * Day),
        Retained(DeadLetter, 3, 14 * Day),
        Retained(Late, 3, 14 * Day),
        new(State, 6, 3, new Dictionary<string, string>
        {
            ["cleanup.policy"] = "compact",
            ["segment.bytes"] = Text(32L << 20),
            ["segment.ms"] = "60000",
            ["min.cleanable.dirty.ratio"] = "0.1",
            ["max.compaction.lag.ms"] = "60000",
            ["delete.retention.ms"] = "120000",
        }.ToFrozenDictionary()),
    ];

    /// <summary>The topic that carries the final windows of a tumbling window size.</summary>
    /// <param name="window">A name of <see cref="WindowNames"/>: <c>1m</c>, <c>5m</c> or <c>15m</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The window has no topic.</exception>
    public static string Aggregated(string window) => window switch
    {
        WindowNames.OneMinute => Aggregated1m,
        WindowNames.FiveMinutes => Aggregated5m,
        WindowNames.FifteenMinutes => Aggregated15m,
        _ => throw new ArgumentOutOfRangeException(nameof(window), window, "Only 1m, 5m and 15m windows are written to Kafka."),
    };

    static TopicDefinition Retained(string name, int partitions, TimeSpan retention, params ReadOnlySpan<(string Key, string Value)> more)
    {
        var settings = new Dictionary<string, string>
        {
            ["cleanup.policy"] = "delete",
            ["retention.ms"] = Text((long)retention.TotalMilliseconds),
        };
        foreach (var (key, value) in more) settings[key] = value;
        return new(name, partitions, 2, settings.ToFrozenDictionary());
    }

    static string Text(long value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
