using Confluent.Kafka;

namespace StreamMetrics.TestSupport;

/// <summary>Reads a topic from its beginning to its end.</summary>
public static class TopicReader
{
    /// <summary>Every record of a topic, partition by partition in the order of offsets within each; control records are not shown.</summary>
    /// <param name="bootstrapServers">The cluster.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="isolation">Read committed unless said otherwise: then it ends before the first transaction that is still open.</param>
    /// <param name="timeout">How long at most.</param>
    public static Task<List<ConsumeResult<byte[]?, byte[]?>>> ReadAsync(
        string bootstrapServers, string topic, IsolationLevel isolation = IsolationLevel.ReadCommitted, TimeSpan? timeout = null)
    {
        var limit = timeout ?? Eventually.DefaultTimeout;
        return Task.Factory.StartNew(
            () => Read(bootstrapServers, topic, isolation, limit), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    static List<ConsumeResult<byte[]?, byte[]?>> Read(string bootstrapServers, string topic, IsolationLevel isolation, TimeSpan limit)
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = "topic-reader",
            IsolationLevel = isolation,
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            FetchWaitMaxMs = 10,
        }).SetLogHandler((_, _) => { }).Build();
        var started = TimeProvider.System.GetTimestamp();
        var partitions = Partitions(consumer, topic, started, limit);
        consumer.Assign(partitions.Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
        var records = new List<ConsumeResult<byte[]?, byte[]?>>();
        var open = partitions.ToHashSet();
        while (open.Count > 0)
        {
            if (TimeProvider.System.GetElapsedTime(started) > limit)
            {
                throw new TimeoutException(
                    $"Reading {topic}: partitions {string.Join(", ", open)} did not end within {limit.TotalSeconds} s; {records.Count} records so far.");
            }

            var result = consumer.Consume(TimeSpan.FromMilliseconds(200));
            if (result is null) continue;
            if (result.IsPartitionEOF) open.Remove(result.Partition.Value);
            else records.Add(result);
        }

        return [.. records.OrderBy(r => r.Partition.Value).ThenBy(r => r.Offset.Value)];
    }

    // Some broker answers, and one may not have heard yet of a topic that was just created.
    static List<int> Partitions(IConsumer<byte[]?, byte[]?> consumer, string topic, long started, TimeSpan limit)
    {
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        while (true)
        {
            var found = admin.GetMetadata(topic, limit).Topics.Single(t => t.Topic == topic);
            if (!found.Error.IsError) return [.. found.Partitions.Select(p => p.PartitionId)];
            if (TimeProvider.System.GetElapsedTime(started) > limit) throw new KafkaException(found.Error);
            Thread.Yield();
        }
    }
}
