using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMetrics.Contracts;

namespace StreamMetrics.Benchmarks.Aggregator;

/// <summary>The topics around work W.</summary>
static class WorkTopics
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>Creates every topic but the input anew, and the input if it is not there.</summary>
    /// <param name="bootstrap">The cluster.</param>
    public static async Task RecreateAsync(string bootstrap)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
        var there = admin.GetMetadata(Timeout).Topics.Select(t => t.Topic).ToHashSet();
        var topics = Topics.All.Where(t => t.Name != Topics.Events || !there.Contains(t.Name)).ToList();
        var old = topics.Select(t => t.Name).Where(there.Contains).ToList();
        if (old.Count > 0) await admin.DeleteTopicsAsync(old);
        while (admin.GetMetadata(Timeout).Topics.Any(t => old.Contains(t.Topic))) await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        var brokers = admin.GetMetadata(Timeout).Brokers.Count;
        await admin.CreateTopicsAsync(topics.Select(t => new TopicSpecification
        {
            Name = t.Name,
            NumPartitions = t.Partitions,
            ReplicationFactor = (short)Math.Min(t.ReplicationFactor, brokers),
            Configs = t.Settings.ToDictionary(),
        }));
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System); // leaders
    }

    /// <summary>End offset of each partition.</summary>
    /// <param name="bootstrap">The cluster.</param>
    /// <param name="topic">The topic.</param>
    public static Dictionary<int, long> Ends(string bootstrap, string topic)
    {
        using var consumer = Consumer(bootstrap);
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var partitions = admin.GetMetadata(topic, Timeout).Topics[0].Partitions;
        return partitions.ToDictionary(p => p.PartitionId, p => consumer.QueryWatermarkOffsets(new(topic, p.PartitionId), Timeout).High.Value);
    }

    /// <summary>Sums of the counts of all series (totals not included), by window size.</summary>
    /// <param name="bootstrap">The cluster.</param>
    /// <param name="outputs">Number of aggregates, totals included.</param>
    public static Dictionary<string, long> SumCounts(string bootstrap, out long outputs)
    {
        outputs = 0;
        var sums = new Dictionary<string, long>();
        foreach (var window in new[] { WindowNames.OneMinute, WindowNames.FiveMinutes, WindowNames.FifteenMinutes })
        {
            sums[window] = 0;
            foreach (var value in Read(bootstrap, Topics.Aggregated(window)))
            {
                outputs++;
                var aggregate = JsonSerializer.Deserialize(value, ContractsJson.Default.Aggregate)!;
                if (aggregate.Scope == AggregateScope.Series) sums[window] += aggregate.Count;
            }
        }

        return sums;
    }

    static IEnumerable<byte[]> Read(string bootstrap, string topic)
    {
        using var consumer = Consumer(bootstrap);
        var open = Ends(bootstrap, topic).Keys.ToHashSet();
        consumer.Assign(open.Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
        while (open.Count > 0)
        {
            var result = consumer.Consume(Timeout) ?? throw new TimeoutException($"{topic} could not be read to its end.");
            if (result.IsPartitionEOF) open.Remove(result.Partition.Value);
            else yield return result.Message.Value;
        }
    }

    static IConsumer<byte[], byte[]> Consumer(string bootstrap) => new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
    {
        BootstrapServers = bootstrap,
        GroupId = "work-w-reader",
        IsolationLevel = IsolationLevel.ReadCommitted,
        EnablePartitionEof = true,
        EnableAutoCommit = false,
    }).Build();
}
