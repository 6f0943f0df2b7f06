using System.Text.Json;
using Confluent.Kafka;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Contracts;

namespace StreamMetrics.Archiver.Sink;

/// <summary>
/// The partitions that the group gave us and where each of them is in the database. The consumer calls in during <c>Consume</c>, so all of
/// this is on the worker's thread.
/// </summary>
sealed class SinkAssignment(SinkWriter writer, TopicIds topics, DatabaseAvailability database, ILogger<SinkAssignment> logger)
{
    // next_offset in the database; and the partitions of which no record has come yet since the assignment.
    readonly Dictionary<TopicPartition, long> _expected = [];
    readonly HashSet<TopicPartition> _fresh = [];

    /// <summary>Records read and not written yet.</summary>
    public SinkBatch Batch { get; } = new();

    /// <summary>Ends waiting for the database.</summary>
    public CancellationToken Stopping { get; set; }

    public IEnumerable<TopicPartition> Partitions => _expected.Keys;

    /// <summary>Where a partition is in the database.</summary>
    public long Expected(TopicPartition partition) => _expected[partition];

    /// <summary>Notes what a transaction has moved.</summary>
    public void Moved(IReadOnlyList<OffsetAdvance> advances)
    {
        foreach (var advance in advances) _expected[advance.TopicPartition] = advance.Next;
    }

    /// <summary>Tells where to go on in newly assigned partitions: where the database is.</summary>
    public IEnumerable<TopicPartitionOffset> Assigned(List<TopicPartition> partitions)
    {
        if (partitions.Count == 0) return [];
        var offsets = database.Run(
            () => writer.LoadOffsets(partitions, topics.Ids, (partition, offset) => Log.TopicAnew(logger, $"{partition.Topic}/{partition.Partition.Value}", offset)), Stopping);
        foreach (var (partition, offset) in offsets)
        {
            _expected[partition] = offset;
            _fresh.Add(partition);
        }

        var started = string.Join(", ", offsets.Select(o => $"{o.Key.Topic}/{o.Key.Partition.Value} from {o.Value}").Order(StringComparer.Ordinal));
        Log.Assigned(logger, started);
        return offsets.Select(o => new TopicPartitionOffset(o.Key, o.Value));
    }

    /// <summary>Forgets partitions; what was read of them and not written is read by their next owner.</summary>
    public void Revoked(List<TopicPartitionOffset> partitions)
    {
        var gone = partitions.Select(p => p.TopicPartition).ToHashSet();
        if (gone.Count == 0) return;
        Batch.Drop(gone);
        foreach (var partition in gone)
        {
            _expected.Remove(partition);
            _fresh.Remove(partition);
        }

        var names = string.Join(", ", gone.Select(p => $"{p.Topic}/{p.Partition.Value}").Order(StringComparer.Ordinal));
        Log.Revoked(logger, names);
    }

    /// <summary>Adds a record to the batch.</summary>
    public void Add(ConsumeResult<byte[]?, byte[]?> result)
    {
        CheckBeginning(result.TopicPartitionOffset);
        var aggregate = AggregateDecoder.Decode(result.Topic, result.Message.Value, out var reason);
        if (reason is not null) Log.Rejected(logger, result.TopicPartitionOffset.ToString(), reason);
        Batch.Add(aggregate is null
            ? new(result.TopicPartitionOffset, null, reason, result.Message.Key, result.Message.Value)
            : new(result.TopicPartitionOffset, aggregate with { Catalog = Catalog(result) }, null, null, null, SinkTracing.ContextOf(result.Message.Headers)));
    }

    // What stands beside an aggregate must not keep it from being stored.
    IReadOnlyDictionary<string, string>? Catalog(ConsumeResult<byte[]?, byte[]?> result)
    {
        if (!result.Message.Headers.TryGetLastBytes(KafkaHeaders.Catalog, out var json)) return null;
        try
        {
            var attributes = JsonSerializer.Deserialize(json, ContractsJson.Default.IReadOnlyDictionaryStringString);
            return attributes is null || attributes.Values.Contains(null) ? null : attributes;
        }
        catch (JsonException e)
        {
            Log.CatalogUnreadable(logger, result.TopicPartitionOffset.ToString(), e.Message);
            return null;
        }
    }

    // Kafka answers "out of range" where an offset does not exist any more, and the client then goes to the beginning.
    void CheckBeginning(TopicPartitionOffset first)
    {
        if (!_fresh.Remove(first.TopicPartition)) return;
        var expected = _expected[first.TopicPartition];
        if (first.Offset.Value < expected) Log.OffsetsReset(logger, $"{first.Topic}/{first.Partition.Value}", expected, first.Offset.Value);
    }
}
