namespace StreamMetrics.Client;

/// <summary>Why an event was not sent.</summary>
public enum DropReason
{
    /// <summary>The queue was full: the brokers do not keep up or do not answer.</summary>
    QueueFull,

    /// <summary>The value is NaN or infinite, which JSON cannot say.</summary>
    ValueNotFinite,

    /// <summary>The metric has no name.</summary>
    NoName,

    /// <summary>A total whose series is beyond the limit of kept series.</summary>
    SeriesLimit,

    /// <summary>Kafka refused it for good.</summary>
    Refused,

    /// <summary>It was not acknowledged within the time for the shutdown.</summary>
    Shutdown,

    /// <summary>It was recorded after the client was disposed, or after the client had failed for good.</summary>
    Closed,
}

/// <summary>What a client did so far. Each event that was recorded is queued or dropped; each queued one is acknowledged or dropped in the end.</summary>
/// <param name="Queued">Events put into the queue.</param>
/// <param name="Acknowledged">Events that Kafka acknowledged.</param>
/// <param name="Changed">Events that had to be changed to fit the limits of an event (cut tags, replaced characters).</param>
/// <param name="Dropped">Events dropped, by reason.</param>
public sealed record ClientStatistics(long Queued, long Acknowledged, long Changed, IReadOnlyDictionary<DropReason, long> Dropped);
