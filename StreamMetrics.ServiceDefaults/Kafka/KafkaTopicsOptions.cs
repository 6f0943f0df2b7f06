using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace StreamMetrics.ServiceDefaults.Kafka;

/// <summary>Section <c>Kafka:Topics</c>: how the topics of the product are created.</summary>
sealed class KafkaTopicsOptions
{
    public const string Section = "Kafka:Topics";

    /// <summary>Most bytes kept per partition of topics that are not compacted; none: only time limits them.</summary>
    [Range(1L << 20, long.MaxValue)]
    public long? RetentionBytes { get; set; }

    /// <summary>Copies of every topic; none: as each topic's definition says. At most the number of brokers is used.</summary>
    [Range(1, 7)]
    public short? ReplicationFactor { get; set; }

    /// <summary>How long the start waits for the brokers.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(60);
}

[OptionsValidator]
sealed partial class KafkaTopicsOptionsValidator : IValidateOptions<KafkaTopicsOptions>;
