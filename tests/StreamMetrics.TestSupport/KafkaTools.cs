using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMetrics.Contracts;

namespace StreamMetrics.TestSupport;

/// <summary>Small things that tests do with a Kafka.</summary>
public static class KafkaTools
{
    /// <summary>Creates a topic and waits until every broker knows a leader for each partition.</summary>
    /// <param name="kafka">The cluster.</param>
    /// <param name="topic">Its name.</param>
    /// <param name="partitions">Number of partitions.</param>
    /// <param name="replicationFactor">Copies; at most the brokers there are is used.</param>
    /// <param name="settings">Topic settings by Kafka's names.</param>
    public static async Task CreateTopicAsync(
        this IKafkaUnderTest kafka, string topic, int partitions = 1, short replicationFactor = 2, IReadOnlyDictionary<string, string>? settings = null)
    {
        using (var admin = Admin(kafka.BootstrapServers)) await CreateAsync(admin, topic, partitions, replicationFactor, settings);
        await kafka.WaitForEveryBrokerAsync($"{topic} has leaders", metadata => HasLeaders(metadata, topic, partitions));
    }

    /// <summary>Creates the topics of the product that are not there yet, with their settings.</summary>
    /// <param name="kafka">The cluster.</param>
    public static async Task CreateProductTopicsAsync(this IKafkaUnderTest kafka)
    {
        using (var admin = Admin(kafka.BootstrapServers))
        {
            foreach (var topic in Topics.All)
            {
                try
                {
                    await CreateAsync(admin, topic.Name, topic.Partitions, topic.ReplicationFactor, topic.Settings);
                }
                catch (CreateTopicsException e) when (e.Results.All(r => r.Error.Code == ErrorCode.TopicAlreadyExists))
                {
                    // An earlier test of the same cluster made it.
                }
            }
        }

        await kafka.WaitForEveryBrokerAsync("the product's topics have leaders", metadata => Topics.All.All(topic => HasLeaders(metadata, topic.Name, topic.Partitions)));
    }

    /// <summary>Deletes topics and waits until no broker knows them any more.</summary>
    /// <param name="kafka">The cluster.</param>
    /// <param name="topics">Their names.</param>
    public static async Task DeleteTopicsAsync(this IKafkaUnderTest kafka, params string[] topics)
    {
        using (var admin = Admin(kafka.BootstrapServers)) await admin.DeleteTopicsAsync(topics);
        await kafka.WaitForEveryBrokerAsync("the topics are gone", metadata => !metadata.Topics.Exists(t => topics.Contains(t.Topic)));
    }

    /// <summary>Waits until the metadata of every broker are as wanted: each hears of the controller's changes in its own time.</summary>
    /// <param name="kafka">The cluster.</param>
    /// <param name="phase">What the test is doing.</param>
    /// <param name="isWanted">Looks at the metadata of one broker.</param>
    public static async Task WaitForEveryBrokerAsync(this IKafkaUnderTest kafka, string phase, Predicate<Metadata> isWanted)
    {
        foreach (var server in kafka.BootstrapServers.Split(','))
        {
            // A client that was told of one broker alone asks that one.
            using var admin = Admin(server);
            await Eventually.TrueAsync(phase, () => isWanted(admin.GetMetadata(TimeSpan.FromSeconds(10))));
        }
    }

    static async Task CreateAsync(IAdminClient admin, string topic, int partitions, short replicationFactor, IReadOnlyDictionary<string, string>? settings)
    {
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
    }

    static bool HasLeaders(Metadata metadata, string topic, int partitions) =>
        metadata.Topics.Exists(t => t.Topic == topic && !t.Error.IsError && t.Partitions.Count == partitions && t.Partitions.TrueForAll(p => p.Leader >= 0));

    static IAdminClient Admin(string servers) => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).SetLogHandler((_, _) => { }).Build();

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
