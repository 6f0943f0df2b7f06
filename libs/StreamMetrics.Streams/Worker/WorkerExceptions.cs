namespace StreamMetrics.Streams.Worker;

/// <summary>
/// Another instance owns the partition, or the group thinks so. What happens next: throw the partition's state away, commit nothing, and
/// restore only if the partition is still assigned after the group had time to say otherwise.
/// </summary>
/// <param name="message">Operation and partition.</param>
/// <param name="inner">The client's exception.</param>
public sealed class PartitionLostException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Nothing that a retry or a restore could mend (rights, settings, versions). What happens next: the process stops.</summary>
/// <param name="message">Operation and cause.</param>
/// <param name="inner">The client's exception.</param>
public sealed class FatalWorkerException(string message, Exception? inner = null) : Exception(message, inner);
