using System.Globalization;
using System.Security.Cryptography;
using Confluent.Kafka;
using Xunit;

namespace StreamMetrics.TestSupport;

/// <summary>
/// A cluster of real Kafka brokers in KRaft mode on 127.0.0.1, each broker and controller at once, as three processes. It comes from the
/// distribution that <c>KAFKA_HOME</c> names, else from <c>../shared/kafka</c> beside the repository. A start takes about ten seconds:
/// share one in a collection (<see cref="RealKafkaFixture"/>).
/// </summary>
public sealed class RealKafka : IKafkaUnderTest
{
    readonly TempFolder _folder = new("kafka");
    readonly int[] _ports;
    readonly int[] _controllerPorts;
    readonly ChildProcess?[] _brokers;
    readonly string _home;

    RealKafka(string home, int brokers)
    {
        _home = home;
        _ports = [.. Enumerable.Range(0, brokers).Select(_ => Ports.Free())];
        _controllerPorts = [.. Enumerable.Range(0, brokers).Select(_ => Ports.Free())];
        _brokers = new ChildProcess?[brokers];
    }

    /// <summary>Why there is no real Kafka on this machine; null when there is one.</summary>
    public static string? Unavailable { get; } = WhyUnavailable();

    /// <inheritdoc/>
    public string BootstrapServers => string.Join(',', _ports.Select(Address));

    /// <summary>The folder of the distribution; null when there is none.</summary>
    public static string? Home =>
        new[] { Environment.GetEnvironmentVariable("KAFKA_HOME"), Path.GetFullPath(RepositoryRoot.Combine("..", "shared", "kafka")) }
            .FirstOrDefault(h => !string.IsNullOrEmpty(h) && File.Exists(Path.Combine(h, "bin", "kafka-server-start.sh")));

    /// <summary>Starts a cluster and waits until every broker is in it.</summary>
    /// <param name="brokers">How many brokers.</param>
    /// <exception cref="InvalidOperationException">There is no Kafka on this machine, or it did not come up.</exception>
    public static async Task<RealKafka> StartAsync(int brokers = 3)
    {
        if (Unavailable is not null) throw new InvalidOperationException(Unavailable);
        var kafka = new RealKafka(Path.GetFullPath(Home!), brokers);
        try
        {
            // A cluster id is a UUID in URL-safe base64 without padding; the tools take one that begins with '-' for an option.
            var id = "T" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(16)).TrimEnd('=').Replace('+', '_').Replace('/', '-')[1..];
            await Task.WhenAll(Enumerable.Range(1, brokers).Select(n => kafka.FormatAsync(n, id)));
            for (var n = 1; n <= brokers; n++) kafka.Launch(n);
            await kafka.WaitForBrokersAsync(brokers);
            return kafka;
        }
        catch
        {
            await kafka.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills one broker (SIGKILL).</summary>
    /// <param name="broker">1 for the first.</param>
    public Task KillAsync(int broker) => Broker(broker).KillAsync();

    /// <summary>Stops one broker in order (SIGTERM); it hands its leaderships over.</summary>
    /// <param name="broker">1 for the first.</param>
    public async Task StopAsync(int broker)
    {
        Broker(broker).Send(Signal.Terminate);
        await Broker(broker).WaitForExitAsync();
    }

    /// <summary>Starts a killed or stopped broker again on its data and waits until the cluster has it back.</summary>
    /// <param name="broker">1 for the first.</param>
    public async Task ResumeAsync(int broker)
    {
        await Broker(broker).DisposeAsync();
        Launch(broker);
        await WaitForBrokersAsync(_brokers.Count(b => b is { HasExited: false }));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var broker in _brokers)
        {
            if (broker is not null) await broker.DisposeAsync();
        }

        _folder.Dispose();
    }

    ChildProcess Broker(int broker) => _brokers[broker - 1] ?? throw new InvalidOperationException($"Broker {broker} was never started.");

    async Task FormatAsync(int broker, string clusterId)
    {
        var folder = Directory.CreateDirectory(_folder.Combine(Name(broker))).FullName;
        var voters = string.Join(',', _controllerPorts.Select((port, i) => $"{i + 1}@{Address(port)}"));
        var copies = Math.Min(3, _brokers.Length);
        var inSync = copies < 3 ? 1 : 2;
        await File.WriteAllTextAsync(Properties(broker), $"""
            process.roles=broker,controller
            node.id={broker}
            controller.quorum.voters={voters}
            listeners=PLAINTEXT://{Address(_ports[broker - 1])},CONTROLLER://{Address(_controllerPorts[broker - 1])}
            advertised.listeners=PLAINTEXT://{Address(_ports[broker - 1])}
            controller.listener.names=CONTROLLER
            listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
            log.dirs={folder}/data
            auto.create.topics.enable=false
            offsets.topic.replication.factor={copies}
            offsets.topic.num.partitions=6
            transaction.state.log.replication.factor={copies}
            transaction.state.log.min.isr={inSync}
            transaction.state.log.num.partitions=6
            transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
            share.coordinator.state.topic.replication.factor={copies}
            share.coordinator.state.topic.min.isr=1
            share.coordinator.state.topic.num.partitions=1
            group.initial.rebalance.delay.ms=0

            """);
        await ChildProcess.RunAsync(
            "kafka-storage.sh", [Tool("kafka-storage.sh"), "format", "-t", clusterId, "-c", Properties(broker)], JavaEnvironment(broker));
    }

    void Launch(int broker) =>
        _brokers[broker - 1] = ChildProcess.Start($"broker {broker}", [Tool("kafka-server-start.sh"), Properties(broker)], JavaEnvironment(broker));

    async Task WaitForBrokersAsync(int expected)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = BootstrapServers, LogConnectionClose = false })
            .SetLogHandler((_, _) => { }).Build();
        await Eventually.AssertAsync(
            $"Kafka starts {expected} brokers",
            () =>
            {
                foreach (var broker in _brokers)
                {
                    if (broker is { HasExited: true } && !expected.Equals(_brokers.Count(b => b is { HasExited: false })))
                        throw new InvalidOperationException($"{broker.Name} has ended.{broker.Tail()}");
                }

                Assert.Equal(expected, admin.GetMetadata(TimeSpan.FromSeconds(2)).Brokers.Count);
            },
            TimeSpan.FromSeconds(120));
    }

    // LOG_DIR: the distribution may be read-only. A small heap: tests keep little, and several clusters may run on one machine.
    Dictionary<string, string?> JavaEnvironment(int broker) => new()
    {
        ["LOG_DIR"] = _folder.Combine(Name(broker)) + "/logs",
        ["KAFKA_HEAP_OPTS"] = "-Xms128m -Xmx384m",
    };

    string Tool(string name) => Path.Combine(_home, "bin", name);

    string Properties(int broker) => Path.Combine(_folder.Combine(Name(broker)), "server.properties");

    static string Name(int broker) => $"broker-{broker.ToString(CultureInfo.InvariantCulture)}";

    static string Address(int port) => $"127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}";

    static string? WhyUnavailable()
    {
        if (Home is null) return "No Apache Kafka: KAFKA_HOME does not name a distribution and there is no ../shared/kafka beside the repository.";
        var javaHome = Environment.GetEnvironmentVariable("JAVA_HOME");
        var java = string.IsNullOrEmpty(javaHome) ? Programs.OnPath("java") : Path.Combine(javaHome, "bin", "java");
        return java is not null && File.Exists(java) ? null : "Apache Kafka needs Java 17 or newer: no java on PATH or in JAVA_HOME.";
    }
}

/// <summary>
/// One <see cref="RealKafka"/> for a collection of test classes. xunit wants the collection in the test's own assembly:
/// <c>[CollectionDefinition("real Kafka")] public sealed class RealKafkaCollection : ICollectionFixture&lt;RealKafkaFixture&gt;;</c>
/// Without a real Kafka nothing is started, and <see cref="RealKafkaFactAttribute"/> skips the tests.
/// </summary>
public sealed class RealKafkaFixture : IAsyncLifetime
{
    RealKafka? _kafka;

    /// <summary>The cluster.</summary>
    public RealKafka Kafka => _kafka ?? throw new InvalidOperationException(RealKafka.Unavailable ?? "Kafka has not been started.");

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        if (RealKafka.Unavailable is null) _kafka = await RealKafka.StartAsync();
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (_kafka is not null) await _kafka.DisposeAsync();
    }
}

/// <summary>A fact that needs real Kafka; skipped, with the reason, where there is none.</summary>
public sealed class RealKafkaFactAttribute : FactAttribute
{
    /// <summary>Creates the attribute.</summary>
    public RealKafkaFactAttribute() => Skip = RealKafka.Unavailable;
}

/// <summary>A theory that needs real Kafka; skipped, with the reason, where there is none.</summary>
public sealed class RealKafkaTheoryAttribute : TheoryAttribute
{
    /// <summary>Creates the attribute.</summary>
    public RealKafkaTheoryAttribute() => Skip = RealKafka.Unavailable;
}
