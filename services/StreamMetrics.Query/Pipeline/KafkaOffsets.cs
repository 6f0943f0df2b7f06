using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMetrics.Contracts;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.Query.Pipeline;

/// <summary>Asks Kafka where the input topic ends and what of it is processed: two requests for all partitions.</summary>
sealed class KafkaOffsets : IDisposable
{
    /// <summary>The configuration key, for messages.</summary>
    public const string Key = "ConnectionStrings:kafka";

    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    readonly IAdminClient? _admin;

    /// <exception cref="StartupException">The connection string is none.</exception>
    public KafkaOffsets(IConfiguration configuration)
    {
        if (ServersOf(configuration) is not { } servers) return;
        foreach (var server in servers.Split(','))
        {
            var colon = server.LastIndexOf(':');
            if (colon <= 0 || !ushort.TryParse(server.AsSpan(colon + 1), out var port) || port == 0)
                throw new StartupException($"{Key} must list bootstrap servers as host:port, separated by commas; '{server.Trim()}' is none.");
        }

        // its own log is off: failures come as exceptions
        _admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers, ClientId = "streammetrics-query" })
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
    }

    /// <summary>Whether there is a Kafka to ask.</summary>
    [MemberNotNullWhen(true, nameof(_admin))]
    public bool IsConfigured => _admin is not null;

    /// <summary>The bootstrap servers; null when there are none.</summary>
    public static string? ServersOf(IConfiguration configuration) => configuration.GetConnectionString("kafka") is { } servers && !string.IsNullOrWhiteSpace(servers) ? servers : null;

    /// <summary>Returns when a broker answers.</summary>
    /// <exception cref="KafkaException">None does.</exception>
    public Task PingAsync(CancellationToken token) => Task.Run(() => _admin?.GetMetadata(Timeout), token).WaitAsync(token);

    /// <exception cref="KafkaException">Kafka does not answer, or not for every partition.</exception>
    public async Task<IReadOnlyList<PartitionOffsets>> ReadAsync(int partitions)
    {
        if (!IsConfigured) throw new KafkaException(new Error(ErrorCode.Local_InvalidArg, $"{Key} is not set"));
        var topicPartitions = Enumerable.Range(0, partitions).Select(p => new TopicPartition(Topics.Events, p)).ToList();
        var ends = await OffsetsAsync(_admin, topicPartitions, OffsetSpec.Latest());
        var committed = await CommittedAsync(_admin, topicPartitions);
        if (committed.Any(c => c < 0))
        {
            var starts = await OffsetsAsync(_admin, topicPartitions, OffsetSpec.Earliest());
            for (var p = 0; p < partitions; p++) committed[p] = committed[p] < 0 ? starts[p] : committed[p];
        }

        return [.. Enumerable.Range(0, partitions).Select(p => new PartitionOffsets(ends[p], committed[p]))];
    }

    public void Dispose() => _admin?.Dispose();

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
    static async Task<long[]> CommittedAsync(IAdminClient admin, List<TopicPartition> partitions)
    {
        var answer = await admin.ListConsumerGroupOffsetsAsync(
            [new(Topics.ProcessorGroup, partitions)], new() { RequestTimeout = Timeout });
        var offsets = new long[partitions.Count];
        foreach (var offset in answer[0].Partitions)
        {
            if (offset.Error.IsError) throw new KafkaException(offset.Error);
            offsets[offset.Partition] = offset.Offset == Offset.Unset ? -1 : offset.Offset;
        }

        return offsets;
    }
}
