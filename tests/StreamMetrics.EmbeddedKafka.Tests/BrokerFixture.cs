using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMetrics.TestSupport;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>One broker for the tests of a class, in a folder of its own, and short-hands for the real client.</summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    static int _names;
    EmbeddedKafkaServer? _server;

    public TemporaryFolder Folder { get; } = new();

    public EmbeddedKafkaServer Server => _server!;

    public string Servers => Server.BootstrapServers;

    public async Task InitializeAsync() => _server = await StartAsync(Folder.Path);

    public async Task DisposeAsync()
    {
        await Server.DisposeAsync();
        Folder.Dispose();
    }

    public static Task<EmbeddedKafkaServer> StartAsync(string folder, int port = 0, TimeSpan? cleanup = null) => EmbeddedKafkaServer.StartAsync(new()
    {
        DataDirectory = folder,
        Port = port,
        CleanupInterval = cleanup ?? TimeSpan.FromSeconds(15),
        GroupInitialRebalanceDelay = TimeSpan.FromMilliseconds(20),
    });

    public static string NewName(string prefix) => $"{prefix}-{Interlocked.Increment(ref _names)}";

    public async Task<string> CreateTopicAsync(int partitions = 1, params (string Key, string Value)[] settings)
    {
        var name = NewName("topic");
        await CreateTopicAsync(Servers, name, partitions, settings);
        return name;
    }

    public static async Task CreateTopicAsync(string servers, string name, int partitions = 1, params (string Key, string Value)[] settings)
    {
        using var admin = Admin(servers);
        await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = partitions, ReplicationFactor = 1, Configs = settings.ToDictionary(s => s.Key, s => s.Value) }]);
    }

    public IAdminClient Admin() => Admin(Servers);

    public static IAdminClient Admin(string servers) => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).Build();

    public IProducer<string, string> Producer(Action<ProducerConfig>? configure = null) => Producer(Servers, configure);

    public static IProducer<string, string> Producer(string servers, Action<ProducerConfig>? configure = null)
    {
        var config = new ProducerConfig { BootstrapServers = servers, EnableIdempotence = true, LingerMs = 1 };
        configure?.Invoke(config);
        return new ProducerBuilder<string, string>(config).SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).Build();
    }

    public IConsumer<string, string> Consumer(string? group = null, Action<ConsumerConfig>? configure = null) => Consumer(Servers, group, configure);

    public static IConsumer<string, string> Consumer(string servers, string? group = null, Action<ConsumerConfig>? configure = null)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = servers, GroupId = group ?? NewName("group"), AutoOffsetReset = AutoOffsetReset.Earliest, EnableAutoCommit = false,
            EnablePartitionEof = true, SessionTimeoutMs = 60_000, HeartbeatIntervalMs = 500, FetchWaitMaxMs = 100,
        };
        configure?.Invoke(config);
        return new ConsumerBuilder<string, string>(config).SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).Build();
    }

    /// <summary>Reads a partition from an offset to its end.</summary>
    public List<ConsumeResult<string, string>> ReadAll(string topic, int partition = 0, long from = 0, IsolationLevel isolation = IsolationLevel.ReadCommitted) =>
        ReadAll(Servers, topic, partition, from, isolation);

    public static List<ConsumeResult<string, string>> ReadAll(string servers, string topic, int partition = 0, long from = 0, IsolationLevel isolation = IsolationLevel.ReadCommitted)
    {
        using var consumer = Consumer(servers, null, config => config.IsolationLevel = isolation);
        consumer.Assign(new TopicPartitionOffset(topic, partition, from));
        var read = new List<ConsumeResult<string, string>>();
        while (true)
        {
            var result = consumer.Consume(Wait.Patience) ?? throw new TimeoutException($"No end of {topic}-{partition} after {read.Count} records.");
            if (result.IsPartitionEOF) return read;
            read.Add(result);
        }
    }

    public static Message<string, string> Message(string? key, string? value) => new() { Key = key!, Value = value! };

    public static string Text(int length, int seed)
    {
        var text = new StringBuilder(length);
        while (text.Length < length) text.Append(seed).Append("-payload-");
        return text.ToString(0, length);
    }
}

/// <summary>A folder of its own under the system's temporary folder, removed at the end.</summary>
public sealed class TemporaryFolder : IDisposable
{
    readonly TempFolder _folder = new("broker");

    public string Path => _folder.Path;

    public void Dispose() => _folder.Dispose();
}
