using Confluent.Kafka;

namespace StreamMetrics.Query.DeadLetters;

/// <summary>Looks for the newest matches of one partition, backwards in blocks, within a budget of records read.</summary>
sealed class PartitionPage(IConsumer<byte[]?, byte[]?> consumer, TopicPartition partition, long low, long high)
{
    const int BlockRecords = 200;
    const int MaxRecordsRead = 2_000;
    static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Matches by offset, the newest first; may be more than the limit.</summary>
    public List<ConsumeResult<byte[]?, byte[]?>> Matches { get; } = [];

    /// <summary>Everything from here on was looked at.</summary>
    public long LookedAtFrom { get; private set; } = high;

    public long Low => low;

    /// <exception cref="KafkaException">Kafka does not answer.</exception>
    public void Find(Func<ConsumeResult<byte[]?, byte[]?>, bool> isMatch, int limit)
    {
        var read = 0L;
        while (LookedAtFrom > low && Matches.Count < limit && read < MaxRecordsRead)
        {
            var from = Math.Max(low, LookedAtFrom - BlockRecords);
            var block = ReadBlock(from, LookedAtFrom);
            for (var i = block.Count - 1; i >= 0; i--)
            {
                if (isMatch(block[i])) Matches.Add(block[i]);
            }

            read += LookedAtFrom - from;
            LookedAtFrom = from;
        }
    }

    // Offsets have gaps (transaction markers, aborted records), so the end of a block shows by what comes after it, or by the end of the partition.
    List<ConsumeResult<byte[]?, byte[]?>> ReadBlock(long from, long to)
    {
        var block = new List<ConsumeResult<byte[]?, byte[]?>>();
        consumer.Assign(new TopicPartitionOffset(partition, from));
        while (true)
        {
            var result = consumer.Consume(ReadTimeout) ?? throw new KafkaException(new Error(ErrorCode.Local_TimedOut, $"{partition} could not be read within {ReadTimeout.TotalSeconds} s"));
            if (result.IsPartitionEOF || result.Offset >= to) return block;
            block.Add(result);
        }
    }
}
