namespace StreamMetrics.Streams;

/// <summary>Constants of the state topic's records (docs/formats/state.md).</summary>
static class StateFormat
{
    /// <summary>First byte of every value.</summary>
    public const byte Version = 1;

    // First byte of every key. 7 to 9 are set aside for deduplication blocks, cumulative streams and distributions.
    public const byte Meta = 1;
    public const byte Definitions = 2;
    public const byte Panes = 3;
    public const byte Windows = 4;
    public const byte Corrections = 5;
    public const byte Replay = 6;

    // Flags of an accumulator; the others are set aside.
    public const byte HasEvents = 1;
    public const byte HasExemplar = 2;

    /// <summary>Series 16·b … 16·b + 15 share the records of block b: a commit writes few records, a restore reads few.</summary>
    public const int BlockBits = 4;

    public const int BlockSize = 1 << BlockBits;
}
