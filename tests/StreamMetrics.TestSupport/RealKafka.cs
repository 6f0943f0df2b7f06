using System.Globalization;
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
    readonly int _port;
    readonly int _controllerPort;
    readonly ChildProcess?[] _brokers;
    readonly string _home;

    RealKafka(string home, int brokers)
    {
        _home = home;
        _port = Ports.FreeRange(brokers);
        _controllerPort = Ports.FreeRange(brokers);
        _brokers = new ChildProcess?[brokers];
    }

    /// <summary>Why there is no real Kafka on this machine; null when there is one.</summary>
    public static string? Unavailable { get; } = WhyUnavailable();

    /// <inheritdoc/>
    public string BootstrapServers => string.Join(',', _brokers.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port + i}")));

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

    // A small heap: tests keep little, and several clusters may run on one machine.
    void Launch(int broker) => _brokers[broker - 1] = LocalServer.Start(
        "kafka-broker.sh",
        [_home, Data(broker), broker, _brokers.Length, _port, _controllerPort],
        new Dictionary<string, string?> { ["KAFKA_HEAP_OPTS"] = "-Xms128m -Xmx384m" });

    async Task WaitForBrokersAsync(int expected)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = BootstrapServers, LogConnectionClose = false })
            .SetLogHandler((_, _) => { }).Build();
        await Eventually.AssertAsync(
            $"Kafka starts {expected} brokers",
            () =>
            {
                if (_brokers.Count(b => b is { HasExited: false }) < expected) throw new HopelessException($"A broker has ended.{Logs()}");
                Assert.Equal(expected, admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Count);
            });
    }

    string Data(int broker) => _folder.Combine(string.Create(CultureInfo.InvariantCulture, $"broker-{broker}"));

    string Logs() => string.Concat(Enumerable.Range(1, _brokers.Length).Select(n => Path.Combine(Data(n), "server.log")).Where(File.Exists)
        .Select(log => $"\n{log}:\n  {string.Join("\n  ", File.ReadLines(log).TakeLast(10))}"));

    static string? JavaOnPath() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "java")).FirstOrDefault(File.Exists);

    static string? WhyUnavailable()
    {
        if (Home is null) return "No Apache Kafka: KAFKA_HOME does not name a distribution and there is no ../shared/kafka beside the repository.";
        var javaHome = Environment.GetEnvironmentVariable("JAVA_HOME");
        var java = string.IsNullOrEmpty(javaHome) ? JavaOnPath() : Path.Combine(javaHome, "bin", "java");
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
