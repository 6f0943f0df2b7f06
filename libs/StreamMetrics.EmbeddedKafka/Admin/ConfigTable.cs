using System.Collections.Frozen;
using System.Globalization;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>Types of configuration values as DescribeConfigs reports them.</summary>
internal enum ConfigType : byte
{
    Boolean = 1,
    String = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

/// <summary>A topic setting: Kafka's name, its type, default and smallest value, and the broker setting that holds the default.</summary>
internal sealed record ConfigDefinition(string Name, ConfigType Type, string Default, string BrokerName, double Min = double.MinValue, params string[] Allowed)
{
    /// <summary>Null when the value is valid, else what is wrong with it.</summary>
    public string? Check(string? value)
    {
        if (value is null) return $"{Name} needs a value.";
        var ok = Type switch
        {
            ConfigType.Boolean => value is "true" or "false",
            ConfigType.Int => int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= Min,
            ConfigType.Long => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= Min,
            ConfigType.Double => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) && n >= Min && n <= 1,
            ConfigType.List => Array.TrueForAll(value.Split(','), part => Allowed.Length == 0 || Allowed.Contains(part.Trim())),
            _ => Allowed.Length == 0 || Allowed.Contains(value),
        };
        return ok ? null : $"Invalid value {value} for configuration {Name}{(Allowed.Length > 0 ? $": it must be one of {string.Join(", ", Allowed)}" : "")}.";
    }
}

/// <summary>The topic settings that are known. Those that the log does not obey are stored and reported, as a replicated cluster's tools expect them.</summary>
internal static class ConfigTable
{
    public static readonly ConfigDefinition[] Topic =
    [
        new("cleanup.policy", ConfigType.List, "delete", "log.cleanup.policy", 0, "delete", "compact"),
        new("compression.type", ConfigType.String, "producer", "compression.type", 0, "uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
        new("delete.retention.ms", ConfigType.Long, "86400000", "log.cleaner.delete.retention.ms", 0),
        new("file.delete.delay.ms", ConfigType.Long, "60000", "log.segment.delete.delay.ms", 0),
        new("flush.messages", ConfigType.Long, "9223372036854775807", "log.flush.interval.messages", 1),
        new("flush.ms", ConfigType.Long, "9223372036854775807", "log.flush.interval.ms", 0),
        new("index.interval.bytes", ConfigType.Int, "4096", "log.index.interval.bytes", 0),
        new("max.compaction.lag.ms", ConfigType.Long, "9223372036854775807", "log.cleaner.max.compaction.lag.ms", 1),
        new("max.message.bytes", ConfigType.Int, "1048588", "message.max.bytes", 0),
        new("message.timestamp.after.max.ms", ConfigType.Long, "9223372036854775807", "log.message.timestamp.after.max.ms", 0),
        new("message.timestamp.before.max.ms", ConfigType.Long, "9223372036854775807", "log.message.timestamp.before.max.ms", 0),
        new("message.timestamp.type", ConfigType.String, "CreateTime", "log.message.timestamp.type", 0, "CreateTime", "LogAppendTime"),
        new("min.cleanable.dirty.ratio", ConfigType.Double, "0.5", "log.cleaner.min.cleanable.ratio", 0),
        new("min.compaction.lag.ms", ConfigType.Long, "0", "log.cleaner.min.compaction.lag.ms", 0),
        new("min.insync.replicas", ConfigType.Int, "1", "min.insync.replicas", 1),
        new("preallocate", ConfigType.Boolean, "false", "log.preallocate"),
        new("retention.bytes", ConfigType.Long, "-1", "log.retention.bytes"),
        new("retention.ms", ConfigType.Long, "604800000", "log.retention.ms", -1),
        new("segment.bytes", ConfigType.Int, "67108864", "log.segment.bytes", 14),
        new("segment.index.bytes", ConfigType.Int, "10485760", "log.index.size.max.bytes", 4),
        new("segment.jitter.ms", ConfigType.Long, "0", "log.roll.jitter.ms", 0),
        new("segment.ms", ConfigType.Long, "604800000", "log.roll.ms", 1),
        new("unclean.leader.election.enable", ConfigType.Boolean, "false", "unclean.leader.election.enable"),
    ];

    static readonly FrozenDictionary<string, ConfigDefinition> ByName = Topic.ToFrozenDictionary(definition => definition.Name);

    /// <summary>What clients may set without meaning here (older or newer Kafka names); accepted and stored.</summary>
    static readonly FrozenSet<string> Accepted = new[]
    {
        "message.format.version", "message.downconversion.enable", "message.timestamp.difference.max.ms", "leader.replication.throttled.replicas",
        "follower.replication.throttled.replicas", "remote.storage.enable", "local.retention.ms", "local.retention.bytes", "compression.gzip.level",
        "compression.lz4.level", "compression.zstd.level",
    }.ToFrozenSet();

    public static ConfigDefinition? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>Null when the setting may be stored, else what is wrong.</summary>
    public static string? Check(string name, string? value)
    {
        if (ByName.TryGetValue(name, out var definition)) return definition.Check(value);
        return Accepted.Contains(name) ? null : $"Unknown topic config name: {name}";
    }

    /// <summary>Parses a topic's settings over the defaults of the broker.</summary>
    public static LogSettings Parse(IReadOnlyDictionary<string, string> settings)
    {
        string Text(string name) => settings.GetValueOrDefault(name) ?? ByName[name].Default;
        long Long(string name) => long.Parse(Text(name), CultureInfo.InvariantCulture);
        int Int(string name) => int.Parse(Text(name), CultureInfo.InvariantCulture);
        var policy = Text("cleanup.policy");
        return new()
        {
            Delete = policy.Contains("delete", StringComparison.Ordinal),
            Compact = policy.Contains("compact", StringComparison.Ordinal),
            RetentionMs = Long("retention.ms"),
            RetentionBytes = Long("retention.bytes"),
            SegmentBytes = Int("segment.bytes"),
            SegmentMs = Long("segment.ms"),
            MaxMessageBytes = Int("max.message.bytes"),
            LogAppendTime = Text("message.timestamp.type") == "LogAppendTime",
            DeleteRetentionMs = Long("delete.retention.ms"),
            MinCleanableDirtyRatio = double.Parse(Text("min.cleanable.dirty.ratio"), CultureInfo.InvariantCulture),
            MinCompactionLagMs = Long("min.compaction.lag.ms"),
            MaxCompactionLagMs = Long("max.compaction.lag.ms"),
        };
    }
}
