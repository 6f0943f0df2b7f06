using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMetrics.Contracts;
using StreamMetrics.ServiceDefaults.Kafka;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.Query.Pipeline;

/// <summary>
/// Asks Kafka where the input topic ends and what of it is processed: two requests for all partitions. The committed offsets are asked for by
/// a consumer of the processors' group that never joins it, and not by the admin client's ListConsumerGroupOffsets: librdkafka 2.16.0 ends
/// the process (a null group handle in rd_kafka_handle_OffsetFetch) when a coordinator that is moving or loading answers that one.
/// </summary>
sealed class KafkaOffsets : IDisposable
{
    /// <summary>The configuration key, for messages.</summary>
    public const string Key = "ConnectionStrings:kafka";

    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    readonly IConsumer<Ignore, Ignore>? _consumer;
    readonly IAdminClient? _admin;
    readonly IConfiguration _configuration;
    volatile string? _refusal;

    /// <exception cref="StartupException">The connection string is none.</exception>
    public KafkaOffsets(IConfiguration configuration)
    {
        _configuration = configuration;
        if (ServersOf(configuration) is not { } servers) return;
        foreach (var server in servers.Split(','))
        {
            var colon = server.LastIndexOf(':');
            if (colon <= 0 || !ushort.TryParse(server.AsSpan(colon + 1), out var port) || port == 0)
                throw new StartupException($"{Key} must list bootstrap servers as host:port, separated by commas; '{server.Trim()}' is none.");
        }

        // its own log is off: failures come as exceptions
        _consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = servers,
            ClientId = "streammetrics-query",
            GroupId = Topics.ProcessorGroup,
            EnableAutoCommit = false,
        }.WithSecurity(configuration)).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();
        _admin = new DependentAdminClientBuilder(_consumer.Handle).Build();
    }

    /// <summary>Whether there is a Kafka to ask.</summary>
    [MemberNotNullWhen(true, nameof(_admin), nameof(_consumer))]
    public bool IsConfigured => _admin is not null && _consumer is not null;

    /// <summary>Why the brokers do not let this service in; null as far as is known.</summary>
    public string? Refusal => _refusal;

    /// <summary>The bootstrap servers; null when there are none.</summary>
    public static string? ServersOf(IConfiguration configuration) => configuration.GetConnectionString("kafka") is { } servers && !string.IsNullOrWhiteSpace(servers) ? servers : null;

    /// <summary>
    /// Returns when a broker answers. By a client of its own: only one that polls is told why it is not let in, which <see cref="Refusal"/> then says.
    /// </summary>
    /// <exception cref="KafkaException">None does.</exception>
    public Task PingAsync(CancellationToken token) => Task.Run(
        () =>
        {
            using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = ServersOf(_configuration), ClientId = "streammetrics-query" }.WithSecurity(_configuration))
                .SetLogHandler(static (_, _) => { })
                .SetErrorHandler((_, error) => _refusal = KafkaSecurity.Describe(error) ?? _refusal)
                .Build();
            return admin.GetMetadata(Timeout);
        },
        token).WaitAsync(token);

    /// <exception cref="KafkaException">Kafka does not answer, or not for every partition.</exception>
    public async Task<IReadOnlyList<PartitionOffsets>> ReadAsync(int partitions)
    {
        if (!IsConfigured) throw new KafkaException(new Error(ErrorCode.Local_InvalidArg, $"{Key} is not set"));
        var topicPartitions = Enumerable.Range(0, partitions).Select(p => new TopicPartition(Topics.Events, p)).ToList();
        var ends = await OffsetsAsync(_admin, topicPartitions, OffsetSpec.Latest());
        var committed = await CommittedAsync(_consumer, topicPartitions);
        if (committed.Any(c => c < 0))
        {
            var starts = await OffsetsAsync(_admin, topicPartitions, OffsetSpec.Earliest());
            for (var p = 0; p < partitions; p++) committed[p] = committed[p] < 0 ? starts[p] : committed[p];
        }

        return [.. Enumerable.Range(0, partitions).Select(p => new PartitionOffsets(ends[p], committed[p]))];
    }

    public void Dispose()
    {
        _admin?.Dispose();
        _consumer?.Dispose();
    }

    static async Task<long[]> OffsetsAsync(IAdminClient admin, List<TopicPartition> partitions, OffsetSpec spec)
    {
        var answer = await admin.ListOffsetsAsync(
            partitions.Select(p => new TopicPartitionOffsetSpec { TopicPartition = p, OffsetSpec = spec }), new() { RequestTimeout = Timeout });
        var offsets = new long[partitions.Count];
        foreach (var info in answer.ResultInfos)
        {
            var offset = info.TopicPartitionOffsetError;
            if (offset.Error.IsError) throw new KafkaException(offset.Error);
            offsets[offset.Partition] = offset.Offset;
        }

        return offsets;
    }

    // -1 where the group has committed nothing
    static async Task<long[]> CommittedAsync(IConsumer<Ignore, Ignore> consumer, List<TopicPartition> partitions)
    {
        var offsets = new long[partitions.Count];
        foreach (var offset in await Task.Run(() => consumer.Committed(partitions, Timeout)))
            offsets[offset.Partition] = offset.Offset == Offset.Unset ? -1 : offset.Offset;
        return offsets;
    }
}
