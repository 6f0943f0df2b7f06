namespace StreamMetrics.EmbeddedKafka;

/// <summary>The topic settings that the log obeys, parsed once when the topic's configuration changes. Kafka's names and units; -1 = unlimited.</summary>
internal sealed record LogSettings
{
    public required bool Delete { get; init; }
    public required bool Compact { get; init; }
    public required long RetentionMs { get; init; }
    public required long RetentionBytes { get; init; }
    public required int SegmentBytes { get; init; }
    public required long SegmentMs { get; init; }
    public required int MaxMessageBytes { get; init; }
    public required bool LogAppendTime { get; init; }
    public required long DeleteRetentionMs { get; init; }
    public required double MinCleanableDirtyRatio { get; init; }
    public required long MinCompactionLagMs { get; init; }
    public required long MaxCompactionLagMs { get; init; }
}
