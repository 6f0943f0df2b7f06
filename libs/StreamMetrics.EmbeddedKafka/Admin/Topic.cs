namespace StreamMetrics.EmbeddedKafka;

/// <summary>A topic and its open partition logs.</summary>
internal sealed class Topic(TopicMeta meta, PartitionLog[] partitions)
{
    public TopicMeta Meta { get; } = meta;

    public string Name => Meta.Name;

    public Guid Id => Meta.Id;

    /// <summary>Replaced as a whole when partitions are added.</summary>
    public PartitionLog[] Partitions { get; set; } = partitions;

    public bool IsInternal => Name is TopicRegistry.Offsets or TopicRegistry.Transactions;

    public PartitionLog? Find(int partition)
    {
        var partitions = Partitions;
        return (uint)partition < (uint)partitions.Length ? partitions[partition] : null;
    }
}
