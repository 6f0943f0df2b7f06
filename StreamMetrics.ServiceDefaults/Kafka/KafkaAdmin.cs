using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.ServiceDefaults.Kafka;

/// <summary>One admin client per process, for the topics and the health check. Its own log is off: failures come as exceptions.</summary>
sealed class KafkaAdmin : IDisposable
{
    public const string ConnectionName = "kafka";

    readonly Lazy<IAdminClient> _client;
    volatile string? _refusal;
    volatile string? _trouble;

    public KafkaAdmin(IConfiguration configuration)
    {
        Servers = configuration.GetConnectionString(ConnectionName) ?? "";
        _client = new(() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Servers, SocketTimeoutMs = 10_000 }.WithSecurity(configuration))
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, error) => Note(error))
            .Build());
    }

    /// <summary>Why no broker lets this client in, or this client trusts no broker; null as far as is known. Calls tell only that none answers.</summary>
    public string? Refusal => _refusal;

    /// <summary>What the client last said of a connection, such as one that is closed in the TLS handshake; null: nothing yet.</summary>
    public string? Trouble => _trouble;

    /// <summary>Bootstrap servers, <c>host:port</c> separated by commas.</summary>
    public string Servers { get; }

    public IAdminClient Client => _client.Value;

    /// <summary>Brokers and topics. The client's call blocks, so it gets a thread of the pool for at most <paramref name="timeout"/>.</summary>
    /// <exception cref="KafkaException">No broker answered in time.</exception>
    public async Task<Metadata> GetMetadataAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var metadata = await Task.Run(() => Client.GetMetadata(timeout), CancellationToken.None).WaitAsync(cancellationToken);

        // What was wrong before is over.
        _refusal = _trouble = null;
        return metadata;
    }

    /// <summary>Refuses a connection string that no client could use, naming its key.</summary>
    public void Validate()
    {
        const string rule = $"ConnectionStrings:{ConnectionName} must list bootstrap servers as host:port, separated by commas";
        if (string.IsNullOrWhiteSpace(Servers)) throw new StartupException($"{rule}; it is not set.");
        foreach (var server in Servers.Split(','))
        {
            var colon = server.LastIndexOf(':');
            if (colon <= 0 || !ushort.TryParse(server.AsSpan(colon + 1), out var port) || port == 0)
            {
                throw new StartupException($"{rule}; '{server.Trim()}' is none.");
            }
        }
    }

    void Note(Error error)
    {
        _refusal = KafkaSecurity.Describe(error) ?? _refusal;
        if (error.Code != ErrorCode.Local_AllBrokersDown) _trouble = error.Reason;
    }

    public void Dispose()
    {
        if (_client.IsValueCreated) _client.Value.Dispose();
    }
}
