using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMetrics.Contracts;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.ServiceDefaults.Kafka;

/// <summary>What the topics should be, given the options and the number of brokers. Pure.</summary>
static class TopicPlan
{
    const string MinInSync = "min.insync.replicas";
    const string RetentionBytes = "retention.bytes";

    public static IReadOnlyList<TopicDefinition> Missing(Metadata metadata) =>
        [.. Topics.All.Where(topic => Find(metadata, topic) is not { Error.IsError: false, Partitions.Count: > 0 })];

    public static short CopiesWanted(TopicDefinition topic, KafkaTopicsOptions options) => options.ReplicationFactor ?? topic.ReplicationFactor;

    public static TopicSpecification Specification(TopicDefinition topic, KafkaTopicsOptions options, int brokers)
    {
        var copies = Copies(topic, options, brokers);
        return new()
        {
            Name = topic.Name,
            NumPartitions = topic.Partitions,
            ReplicationFactor = copies,
            Configs = Settings(topic, options, copies),
        };
    }

    /// <exception cref="StartupException">A topic has another number of partitions: keys would be on other partitions than their state.</exception>
    public static void ThrowOnWrongPartitionCount(Metadata metadata)
    {
        foreach (var topic in Topics.All)
        {
            var found = Find(metadata, topic)?.Partitions.Count ?? 0;
            if (found == topic.Partitions) continue;
            throw new StartupException(
                $"topic {topic.Name} has {found} partitions and must have {topic.Partitions}: the number cannot be changed without moving keys; "
                + "delete the topic or use another cluster (ConnectionStrings:kafka).");
        }
    }

    /// <summary>Settings and copies that are not as wanted: <c>retention.ms is 1000, not 604800000</c>.</summary>
    public static IReadOnlyList<string> Differences(
        TopicDefinition topic, KafkaTopicsOptions options, Metadata metadata, Func<string, string?> actual)
    {
        var wantedCopies = Copies(topic, options, metadata.Brokers.Count);
        var copies = Find(metadata, topic)?.Partitions.Min(p => p.Replicas.Length) ?? 0;
        var differences = new List<string>();
        if (copies < wantedCopies) differences.Add($"{copies} copies, not {wantedCopies}");

        // What min.insync.replicas should be follows from the copies there are, not from those wished for.
        foreach (var (name, wanted) in Settings(topic, options, (short)copies).OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            if (actual(name) is { } value && value != wanted) differences.Add($"{name} is {value}, not {wanted}");
        }

        return differences;
    }

    static short Copies(TopicDefinition topic, KafkaTopicsOptions options, int brokers) =>
        (short)Math.Min(CopiesWanted(topic, options), brokers);

    static Dictionary<string, string> Settings(TopicDefinition topic, KafkaTopicsOptions options, short copies)
    {
        var settings = new Dictionary<string, string>(topic.Settings) { [MinInSync] = copies >= 3 ? "2" : "1" };
        if (options.RetentionBytes is { } bytes && topic.Settings.GetValueOrDefault("cleanup.policy") == "delete")
        {
            settings[RetentionBytes] = bytes.ToString(CultureInfo.InvariantCulture);
        }

        return settings;
    }

    static TopicMetadata? Find(Metadata metadata, TopicDefinition topic) => metadata.Topics.Find(t => t.Topic == topic.Name);
}
