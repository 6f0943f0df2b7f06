using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMetrics.Contracts;

namespace StreamMetrics.Query.Pipeline;

/// <summary>Asks Kafka where the input topic ends and what of it is processed: two requests for all partitions.</summary>
sealed class KafkaOffsets(string bootstrapServers, TimeSpan timeout) : IDisposable
{
    readonly IAdminClient _admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrapServers, ClientId = "streammetrics-query" })
        .SetLogHandler(static (_, _) => { })
        .SetErrorHandler(static (_, _) => { })
        .Build();

    /// <exception cref="KafkaException">Kafka does not answer, or not for every partition.</exception>
    public async Task<IReadOnlyList<PartitionOffsets>> ReadAsync(int partitions)
    {
        var topicPartitions = Enumerable.Range(0, partitions).Select(p => new TopicPartition(Topics.Events, p)).ToList();
        var ends = await OffsetsAsync(topicPartitions, OffsetSpec.Latest());
        var committed = await CommittedAsync(topicPartitions);
        if (committed.Any(c => c < 0))
        {
            var starts = await OffsetsAsync(topicPartitions, OffsetSpec.Earliest());
            for (var p = 0; p < partitions; p++) committed[p] = committed[p] < 0 ? starts[p] : committed[p];
        }

        return [.. Enumerable.Range(0, partitions).Select(p => new PartitionOffsets(ends[p], committed[p]))];
    }

    public void Dispose() => _admin.Dispose();

    async Task<long[]> OffsetsAsync(List<TopicPartition> partitions, OffsetSpec spec)
    {
        var answer = await _admin.ListOffsetsAsync(
            partitions.Select(p => new TopicPartitionOffsetSpec { TopicPartition = p, OffsetSpec = spec }), new() { RequestTimeout = timeout });
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
    async Task<long[]> CommittedAsync(List<TopicPartition> partitions)
    {
        var answer = await _admin.ListConsumerGroupOffsetsAsync(
            [new(Topics.ProcessorGroup, partitions)], new() { RequestTimeout = timeout });
        var offsets = new long[partitions.Count];
        foreach (var offset in answer[0].Partitions)
        {
            if (offset.Error.IsError) throw new KafkaException(offset.Error);
            offsets[offset.Partition] = offset.Offset == Offset.Unset ? -1 : offset.Offset;
        }

        return offsets;
    }
}
