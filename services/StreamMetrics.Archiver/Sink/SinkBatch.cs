using System.Diagnostics;
using Confluent.Kafka;
using StreamMetrics.Contracts;

namespace StreamMetrics.Archiver.Sink;

/// <summary>A record read from an aggregate topic.</summary>
/// <param name="Position">Topic, partition and offset.</param>
/// <param name="Aggregate">What it holds; null when it is none.</param>
/// <param name="Reject">Why it is none.</param>
/// <param name="Key">The record's key, kept for a reject only.</param>
/// <param name="Value">The record's value, kept for a reject only.</param>
/// <param name="Origin">The trace that it belongs to, if any.</param>
readonly record struct SinkRecord(TopicPartitionOffset Position, Aggregate? Aggregate, string? Reject, byte[]? Key, byte[]? Value, ActivityContext? Origin = null);

/// <summary>How far a partition of a topic is moved by a batch.</summary>
/// <param name="TopicPartition">The partition.</param>
/// <param name="Expected">The <c>next_offset</c> that the database must have.</param>
/// <param name="Next">The <c>next_offset</c> to set.</param>
readonly record struct OffsetAdvance(TopicPartition TopicPartition, long Expected, long Next);

/// <summary>What is written in one database transaction: records in the order of their offsets in each partition.</summary>
sealed class SinkBatch
{
    readonly List<SinkRecord> _records = [];

    public IReadOnlyList<SinkRecord> Records => _records;

    public bool IsEmpty => _records.Count == 0;

    public void Add(SinkRecord record) => _records.Add(record);

    public void Clear() => _records.Clear();

    /// <summary>Takes out the records of partitions that are no longer ours; their next owner reads them.</summary>
    public void Drop(IReadOnlySet<TopicPartition> partitions) => _records.RemoveAll(r => partitions.Contains(r.Position.TopicPartition));

    /// <summary>The moves of this batch, always in the same order, so that two writers never wait for each other in a circle.</summary>
    public List<OffsetAdvance> Advances(Func<TopicPartition, long> expected) =>
        [.. _records.GroupBy(r => r.Position.TopicPartition)
            .Select(g => new OffsetAdvance(g.Key, expected(g.Key), g.Last().Position.Offset.Value + 1))
            .OrderBy(a => a.TopicPartition.Topic, StringComparer.Ordinal).ThenBy(a => a.TopicPartition.Partition.Value)];
}
