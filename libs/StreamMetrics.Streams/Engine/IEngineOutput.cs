namespace StreamMetrics.Streams;

/// <summary>
/// Receives what one commit holds, in this order: aggregates, dead letters, late records, state, the <c>meta</c> state record last.
/// Spans are valid during the call only. What a method throws leaves <see cref="PartitionEngine.WriteCommit"/>; the engine is then to be
/// thrown away and restored, as after an aborted transaction.
/// </summary>
public interface IEngineOutput
{
    /// <summary>A final aggregate or a correction.</summary>
    /// <param name="window">Name of the window size, which names the topic.</param>
    /// <param name="key">The serviceId.</param>
    /// <param name="value">JSON of <see cref="Contracts.Aggregate"/> (docs/formats/aggregate.md).</param>
    void Aggregate(string window, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// <summary>An invalid record for <c>metrics-dead-letter</c>.</summary>
    /// <param name="record">The record and the reason.</param>
    void DeadLetter(in RejectedRecord record);

    /// <summary>A record beyond the correction horizon, for <c>metrics-late</c>.</summary>
    /// <param name="record">The record and the reason.</param>
    void Late(in RejectedRecord record);

    /// <summary>A record of the state topic (docs/formats/state.md).</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value; empty means a tombstone (null value).</param>
    void State(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);
}
