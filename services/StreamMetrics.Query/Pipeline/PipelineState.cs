namespace StreamMetrics.Query.Pipeline;

/// <summary>The newest <see cref="PipelineAnswer"/>: written by the poller, read by every request.</summary>
sealed class PipelineState
{
    PipelineAnswer _current = new()
    {
        Time = 0,
        Partitions = [],
        EventsPerSecond = 0,
        AggregatesPerSecond = 0,
        DeadLetters = 0,
        Late = 0,
        Dependencies = new Dictionary<string, string>(),
    };

    public PipelineAnswer Current
    {
        get => Volatile.Read(ref _current);
        set => Volatile.Write(ref _current, value);
    }
}

/// <summary>Offsets of an input partition as Kafka knows them.</summary>
/// <param name="End">Offset after the last record.</param>
/// <param name="Committed">What the processors' group has committed, or the first offset there is when it has nothing.</param>
readonly record struct PartitionOffsets(long End, long Committed);
