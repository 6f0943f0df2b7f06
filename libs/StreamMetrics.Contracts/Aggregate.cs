using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamMetrics.Contracts;

/// <summary>Whether an aggregate is of one series or of all series of a (service, metric).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AggregateScope>))]
public enum AggregateScope
{
    /// <summary>One series: serviceId, metricName and tags.</summary>
    [JsonStringEnumMemberName("series")] Series,

    /// <summary>The merge of all series of a (serviceId, metricName).</summary>
    [JsonStringEnumMemberName("total")] Total,
}

/// <summary>How definite an aggregate is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AggregateKind>))]
public enum AggregateKind
{
    /// <summary>Of a window that is still open; live lane only.</summary>
    [JsonStringEnumMemberName("provisional")] Provisional,

    /// <summary>Of a closed window.</summary>
    [JsonStringEnumMemberName("final")] Final,

    /// <summary>A partial aggregate of late events, to be merged into what is stored.</summary>
    [JsonStringEnumMemberName("correction")] Correction,
}

/// <summary>The largest value of a window that carried a trace.</summary>
/// <param name="TraceId">W3C trace id, or what the event carried.</param>
/// <param name="SpanId">Span id.</param>
/// <param name="Value">The value.</param>
/// <param name="Time">Event time, ms since the epoch.</param>
public sealed record Exemplar(string TraceId, string? SpanId, double Value, long Time);

/// <summary>
/// One window of one series, as it stands in <c>metrics-aggregated-*</c> (docs/formats/aggregate.md). (scope, series, window, start)
/// identifies the window; (series, window, start, partition, asOfOffset) identifies the aggregate.
/// </summary>
public sealed record Aggregate
{
    /// <summary>The service.</summary>
    public required string ServiceId { get; init; }

    /// <summary>The metric.</summary>
    public required string MetricName { get; init; }

    /// <summary>Kind of metric (<see cref="MetricTypes"/>).</summary>
    public required string MetricType { get; init; }

    /// <summary>Unit of the values.</summary>
    public required string Unit { get; init; }

    /// <summary>One series or the total.</summary>
    public required AggregateScope Scope { get; init; }

    /// <summary>Tags of the series; empty for a total.</summary>
    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    /// <summary>Window size (<see cref="WindowNames"/>).</summary>
    public required string Window { get; init; }

    /// <summary>First instant of the window, ms since the epoch (inclusive).</summary>
    public required long Start { get; init; }

    /// <summary>End of the window, ms since the epoch (exclusive).</summary>
    public required long End { get; init; }

    /// <summary>Provisional, final or correction.</summary>
    public required AggregateKind Kind { get; init; }

    /// <summary>Number of events.</summary>
    public required long Count { get; init; }

    /// <summary>Sum of the values (compensated).</summary>
    public required double Sum { get; init; }

    /// <summary>Mean of the values.</summary>
    public required double Avg { get; init; }

    /// <summary>Smallest value.</summary>
    public required double Min { get; init; }

    /// <summary>Largest value.</summary>
    public required double Max { get; init; }

    /// <summary>Median, within <see cref="MaxRelativeError"/>.</summary>
    public required double P50 { get; init; }

    /// <summary>95th percentile, within <see cref="MaxRelativeError"/>.</summary>
    public required double P95 { get; init; }

    /// <summary>99th percentile, within <see cref="MaxRelativeError"/>.</summary>
    public required double P99 { get; init; }

    /// <summary>Events per second of the window; for COUNTER the sum per second.</summary>
    public required double Rate { get; init; }

    /// <summary>The value with the largest event time (ties: the larger value).</summary>
    public required double Last { get; init; }

    /// <summary>Event time of <see cref="Last"/>, ms since the epoch.</summary>
    public required long LastTime { get; init; }

    /// <summary>Events marked as errors.</summary>
    public required long Errors { get; init; }

    /// <summary>The largest value with a trace, if any.</summary>
    public Exemplar? Exemplar { get; init; }

    /// <summary>Worst relative error of a percentile.</summary>
    public required double MaxRelativeError { get; init; }

    /// <summary>Events among <see cref="Count"/> that came after the window was final.</summary>
    public required long Late { get; init; }

    /// <summary>Input partition.</summary>
    public required int Partition { get; init; }

    /// <summary>Last input offset that this aggregate includes.</summary>
    public required long AsOfOffset { get; init; }

    /// <summary>How many finals and corrections a store has merged into this value; null in what comes from the engine.</summary>
    public long? Revision { get; init; }

    /// <summary>What the service catalog says of the service; beside the aggregate, in the header <see cref="KafkaHeaders.Catalog"/>.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, string>? Catalog { get; init; }

    /// <summary>The quantile sketch (docs/formats/sketch.md); base64 in JSON.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public byte[]? Sketch { get; init; }
}

/// <summary>Source-generated JSON of the contract's records: camelCase, nulls left out.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Aggregate))]
[JsonSerializable(typeof(IReadOnlyList<Aggregate>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
[JsonSerializable(typeof(CatalogEntry))]
[JsonSerializable(typeof(PartitionStatus))]
public sealed partial class ContractsJson : JsonSerializerContext;
