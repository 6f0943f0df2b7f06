namespace StreamMetrics.Streams;

/// <summary>One record of <c>metrics-events</c> as the engine reads it: bytes of the consumer's message, valid during the call only.</summary>
public readonly ref struct InputRecord
{
    /// <summary>Offset in the input partition; offsets rise, gaps (control records) are allowed.</summary>
    public required long Offset { get; init; }

    /// <summary>The broker's append time, ms since the epoch.</summary>
    public required long LogTime { get; init; }

    /// <summary>True for a clock record (header <c>sm-clock</c>): it moves the watermark and nothing else.</summary>
    public bool IsClock { get; init; }

    /// <summary>Where a replayed record was dead-lettered or put aside as late (header <c>sm-replay</c>); null for others.</summary>
    public ReplayOrigin? Replay { get; init; }

    /// <summary>The record's key; empty when null. By contract the serviceId.</summary>
    public ReadOnlySpan<byte> Key { get; init; }

    /// <summary>The event's JSON in UTF-8.</summary>
    public ReadOnlySpan<byte> Value { get; init; }

    /// <summary>How often processing this record has been tried before, without result; 0 at first.</summary>
    public int Attempts { get; init; }
}
