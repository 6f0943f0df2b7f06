using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMetrics.Contracts;

namespace StreamMetrics.TestSupport;

/// <summary>Small things that tests do with a Kafka.</summary>
public static class KafkaTools
{
    /// <summary>Creates a topic and waits until every broker asked knows a leader for each partition.</summary>
    /// <param name="kafka">The cluster.</param>
    /// <param name="topic">Its name.</param>
    /// <param name="partitions">Number of partitions.</param>
    /// <param name="replicationFactor">Copies; at most the brokers there are is used.</param>
    /// <param name="settings">Topic settings by Kafka's names.</param>
    public static async Task CreateTopicAsync(
        this IKafkaUnderTest kafka, string topic, int partitions = 1, short replicationFactor = 2, IReadOnlyDictionary<string, string>? settings = null)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka.BootstrapServers }).SetLogHandler((_, _) => { }).Build();
        var brokers = admin.GetMetadata(Eventually.DefaultTimeout).Brokers.Count;
        await admin.CreateTopicsAsync([
            new TopicSpecification
            {
                Name = topic,
                NumPartitions = partitions,
                ReplicationFactor = (short)Math.Min(replicationFactor, brokers),
                Configs = settings?.ToDictionary(),
            },
        ]);
        await Eventually.TrueAsync($"{topic} has leaders", () =>
        {
            var found = admin.GetMetadata(topic, TimeSpan.FromSeconds(10)).Topics.Single();
            return !found.Error.IsError && found.Partitions.Count == partitions && found.Partitions.All(p => p.Leader >= 0);
        });
    }

    /// <summary>Creates the topics of the product that are not there yet, with their settings.</summary>
    /// <param name="kafka">The cluster.</param>
    public static async Task CreateProductTopicsAsync(this IKafkaUnderTest kafka)
    {
        foreach (var topic in Topics.All)
        {
            try
            {
                await kafka.CreateTopicAsync(topic.Name, topic.Partitions, topic.ReplicationFactor, topic.Settings);
            }
            catch (CreateTopicsException e) when (e.Results.All(r => r.Error.Code == ErrorCode.TopicAlreadyExists))
            {
                // An earlier test of the same cluster made it.
            }
        }
    }

    /// <summary>An idempotent producer with the partitioner that all our producers use.</summary>
    /// <param name="kafka">The cluster.</param>
    /// <param name="configure">Changes the settings.</param>
    public static IProducer<byte[]?, byte[]?> CreateProducer(this IKafkaUnderTest kafka, Action<ProducerConfig>? configure = null)
    {
        var config = new ProducerConfig
        {
            BootstrapServers = kafka.BootstrapServers,
            Acks = Acks.All,
            EnableIdempotence = true,
            LingerMs = 2,
            Partitioner = Partitioner.Murmur2Random,
        };
        configure?.Invoke(config);
        return new ProducerBuilder<byte[]?, byte[]?>(config).SetLogHandler((_, _) => { }).Build();
    }
}
