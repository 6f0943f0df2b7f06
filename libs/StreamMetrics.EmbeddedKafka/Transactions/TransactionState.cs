namespace StreamMetrics.EmbeddedKafka;

// Empty ─► Ongoing ─► PrepareCommit ─► CompleteCommit;   Ongoing ─► PrepareAbort ─► CompleteAbort;   Complete* ─► Ongoing | Empty (InitProducerId).
// The numbers are those of Kafka's transaction log.
internal enum TransactionStatus : byte
{
    Empty = 0,
    Ongoing = 1,
    PrepareCommit = 2,
    PrepareAbort = 3,
    CompleteCommit = 4,
    CompleteAbort = 5,
    Dead = 6,
}

/// <summary>A transactional id: who holds it and what its transaction has touched. Everything is under <see cref="Gate"/>.</summary>
internal sealed class TransactionState(string id)
{
    public Lock Gate { get; } = new();

    public string Id { get; } = id;

    public long ProducerId { get; set; } = -1;

    public short ProducerEpoch { get; set; } = -1;

    /// <summary>The epoch before the last bump, so that a repeated InitProducerId is recognised.</summary>
    public short LastEpoch { get; set; } = -1;

    public int TimeoutMs { get; set; }

    public TransactionStatus Status { get; set; }

    public HashSet<PartitionId> Partitions { get; } = [];

    /// <summary>Start of the open transaction, ms; -1 when none.</summary>
    public long StartedAt { get; set; } = -1;

    public long UpdatedAt { get; set; }

    /// <summary>Everything that may have to be put back.</summary>
    public Values Take() => new(ProducerId, ProducerEpoch, LastEpoch, TimeoutMs, Status, StartedAt, UpdatedAt, [.. Partitions]);

    public void Put(Values values)
    {
        (ProducerId, ProducerEpoch, LastEpoch, TimeoutMs) = (values.ProducerId, values.ProducerEpoch, values.LastEpoch, values.TimeoutMs);
        (Status, StartedAt, UpdatedAt) = (values.Status, values.StartedAt, values.UpdatedAt);
        Partitions.Clear();
        Partitions.UnionWith(values.Partitions);
    }

    internal readonly record struct Values(
        long ProducerId, short ProducerEpoch, short LastEpoch, int TimeoutMs, TransactionStatus Status, long StartedAt, long UpdatedAt, PartitionId[] Partitions);
}
