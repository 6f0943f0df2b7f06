using System.Globalization;
using Confluent.Kafka;
using Xunit;

namespace StreamMetrics.TestSupport;

/// <summary>
/// One real Kafka broker that lets nobody in unknown: a listener with SASL_SSL (PLAIN and SCRAM) and one with SSL that demands a client certificate. Its
/// certificates come from an authority of its own.
/// </summary>
public sealed class SecuredKafka : IAsyncDisposable
{
    /// <summary>The user of PLAIN and SCRAM.</summary>
    public const string User = "streammetrics";

    /// <summary>The user's password.</summary>
    public const string Password = "s3cr3t-of-the-test";

    /// <summary>The password of the client's key.</summary>
    public const string KeyPassword = "k3y-of-the-test";

    readonly TempFolder _folder = new("secured-kafka");
    readonly TestCertificates _authority;
    readonly TestCertificates _otherAuthority;
    readonly (string Certificate, string Key, string Both) _client;
    readonly int _port = Ports.FreeRange(4);
    ChildProcess? _broker;

    SecuredKafka()
    {
        _authority = new(_folder.Path, "authority");
        _otherAuthority = new(_folder.Path, "other-authority");
        _client = _authority.Issue("client", KeyPassword);
    }

    /// <summary>Bootstrap servers of the listener with users.</summary>
    public string SaslServers => Server(1);

    /// <summary>Bootstrap servers of the listener that wants certificates.</summary>
    public string MutualServers => Server(2);

    /// <summary>Starts it and waits until it lets the right client in.</summary>
    /// <exception cref="InvalidOperationException">There is no Kafka on this machine, or it did not come up.</exception>
    public static async Task<SecuredKafka> StartAsync()
    {
        if (RealKafka.Unavailable is not null) throw new InvalidOperationException(RealKafka.Unavailable);
        var kafka = new SecuredKafka();
        try
        {
            await kafka.LaunchAsync(Path.GetFullPath(RealKafka.Home!));
            return kafka;
        }
        catch
        {
            await kafka.DisposeAsync();
            throw;
        }
    }

    /// <summary>Settings of a client (<c>Kafka:Security</c>, and the servers) in environment form.</summary>
    /// <param name="mechanism"><c>PLAIN</c>, <c>SCRAM-SHA-256</c>, <c>SCRAM-SHA-512</c>, or null for mTLS.</param>
    public Dictionary<string, string?> Settings(string? mechanism) => mechanism is null
        ? new()
        {
            ["ConnectionStrings__kafka"] = MutualServers,
            ["Kafka__Security__Protocol"] = "SSL",
            ["Kafka__Security__CaFile"] = _authority.AuthorityFile,
            ["Kafka__Security__CertificateFile"] = _client.Certificate,
            ["Kafka__Security__KeyFile"] = _client.Key,
            ["Kafka__Security__KeyPassword"] = KeyPassword,
        }
        : new()
        {
            ["ConnectionStrings__kafka"] = SaslServers,
            ["Kafka__Security__Protocol"] = "SASL_SSL",
            ["Kafka__Security__Mechanism"] = mechanism,
            ["Kafka__Security__User"] = User,
            ["Kafka__Security__Password"] = Password,
            ["Kafka__Security__CaFile"] = _authority.AuthorityFile,
        };

    /// <summary>A certificate of an authority that did not issue the broker's.</summary>
    public string WrongAuthorityFile => _otherAuthority.AuthorityFile;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_broker is not null) await _broker.DisposeAsync();
        _authority.Dispose();
        _otherAuthority.Dispose();
        _folder.Dispose();
    }

    string Server(int listener) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port + listener}");

    async Task LaunchAsync(string home)
    {
        var (properties, log) = (_folder.Combine("server.properties"), _folder.Combine("server.log"));
        await File.WriteAllTextAsync(properties, Properties());
        // SCRAM users are written when the storage is formatted: the first broker needs them before it can be asked to create any.
        var scram = string.Join(' ', new[] { "SCRAM-SHA-256", "SCRAM-SHA-512" }.Select(name => $"--add-scram '{name}=[name={User},password={Password}]'"));
        var command = $"""
            '{home}/bin/kafka-storage.sh' format -t c2VjdXJlZC1rYWZrYS0xMg -c '{properties}' {scram} >'{log}' 2>&1 || exit 1
            exec '{home}/bin/kafka-server-start.sh' '{properties}' >>'{log}' 2>&1
            """;
        _broker = ChildProcess.Start("secured Kafka", ["bash", "-c", command], new Dictionary<string, string?> { ["KAFKA_HEAP_OPTS"] = "-Xms128m -Xmx384m", ["LOG_DIR"] = _folder.Combine("logs") });
        using var admin = new AdminClientBuilder(new AdminClientConfig
        {
            BootstrapServers = SaslServers, SecurityProtocol = SecurityProtocol.SaslSsl, SaslMechanism = SaslMechanism.ScramSha512, SaslUsername = User, SaslPassword = Password,
            SslCaLocation = _authority.AuthorityFile,
        }).SetLogHandler((_, _) => { }).Build();
        await Eventually.AssertAsync("the secured broker lets the right user in", () =>
        {
            if (_broker.HasExited) throw new HopelessException($"It has ended.\n{string.Join('\n', File.ReadLines(log).TakeLast(10))}");
            Assert.Single(admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers);
        });
    }

    string Properties()
    {
        var broker = _authority.Issue("broker");
        return string.Create(CultureInfo.InvariantCulture, $"""
            process.roles=broker,controller
            node.id=1
            controller.quorum.voters=1@127.0.0.1:{_port + 3}
            listeners=INTERNAL://127.0.0.1:{_port},USERS://127.0.0.1:{_port + 1},MUTUAL://127.0.0.1:{_port + 2},CONTROLLER://127.0.0.1:{_port + 3}
            advertised.listeners=INTERNAL://127.0.0.1:{_port},USERS://127.0.0.1:{_port + 1},MUTUAL://127.0.0.1:{_port + 2}
            listener.security.protocol.map=INTERNAL:PLAINTEXT,USERS:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT
            inter.broker.listener.name=INTERNAL
            controller.listener.names=CONTROLLER
            ssl.keystore.type=PEM
            ssl.keystore.location={broker.Both}
            ssl.truststore.type=PEM
            ssl.truststore.location={_authority.AuthorityFile}
            listener.name.mutual.ssl.client.auth=required
            listener.name.users.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
            listener.name.users.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{User}="{Password}";
            listener.name.users.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
            listener.name.users.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
            log.dirs={_folder.Combine("data")}
            auto.create.topics.enable=false
            offsets.topic.replication.factor=1
            offsets.topic.num.partitions=6
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            transaction.state.log.num.partitions=6
            transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
            share.coordinator.state.topic.replication.factor=1
            share.coordinator.state.topic.min.isr=1
            group.initial.rebalance.delay.ms=0

            """);
    }
}
