namespace StreamMetrics.Contracts;

/// <summary>Names of the record headers that the product writes and reads. Values are UTF-8 text.</summary>
public static class KafkaHeaders
{
    /// <summary>On a record of <see cref="Topics.Events"/> with null key and value: it only moves the watermark.</summary>
    public const string Clock = "sm-clock";

    /// <summary>Reason code (<see cref="ReasonCodes"/>) of a dead letter or late record.</summary>
    public const string Reason = "sm-reason";

    /// <summary>The reason in words: field, value and rule.</summary>
    public const string Message = "sm-message";

    /// <summary>Topic the record came from.</summary>
    public const string Topic = "sm-topic";

    /// <summary>Partition the record came from.</summary>
    public const string Partition = "sm-partition";

    /// <summary>Offset the record came from.</summary>
    public const string Offset = "sm-offset";

    /// <summary>How often processing it was tried.</summary>
    public const string Attempts = "sm-attempts";

    /// <summary>Log time of the original record, ms since the epoch.</summary>
    public const string Time = "sm-time";

    /// <summary>On a replayed record: <c>topic/partition/offset</c> of the dead letter or late record.</summary>
    public const string Replay = "sm-replay";

    /// <summary>On an aggregate: what the service catalog says of its service, a JSON object of texts (docs/service-catalog.md).</summary>
    public const string Catalog = "sm-catalog";
}
