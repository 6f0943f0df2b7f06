namespace StreamMetrics.Streams;

/// <summary>A record that goes to <c>metrics-dead-letter</c> or <c>metrics-late</c>: original bytes and why. Valid during the call only.</summary>
public readonly ref struct RejectedRecord
{
    /// <summary>Offset in the input partition.</summary>
    public required long Offset { get; init; }

    /// <summary>Log time of the record, ms since the epoch.</summary>
    public required long LogTime { get; init; }

    /// <summary>Original key; empty when null.</summary>
    public required ReadOnlySpan<byte> Key { get; init; }

    /// <summary>Original value.</summary>
    public required ReadOnlySpan<byte> Value { get; init; }

    /// <summary>A code of <see cref="Contracts.ReasonCodes"/>.</summary>
    public required string Reason { get; init; }

    /// <summary>The reason in words: field, value and rule.</summary>
    public required string Message { get; init; }

    /// <summary>How often processing was tried, ≥ 1.</summary>
    public required int Attempts { get; init; }
}
