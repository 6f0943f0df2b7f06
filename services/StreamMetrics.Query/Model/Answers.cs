using System.ComponentModel;
using System.Text.Json.Serialization;
using StreamMetrics.Contracts;

namespace StreamMetrics.Query.Model;

/// <summary>Where an answer comes from.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DataSource>))]
public enum DataSource
{
    /// <summary>Redis.</summary>
    [JsonStringEnumMemberName("hot")] Hot,

    /// <summary>PostgreSQL.</summary>
    [JsonStringEnumMemberName("cold")] Cold,

    /// <summary>Both.</summary>
    [JsonStringEnumMemberName("mixed")] Mixed,
}

[Description("One window of one series, of a merge of series, or of a total.")]
public sealed record AggregateAnswer
{
    public required string ServiceId { get; init; }

    public required string MetricName { get; init; }

    public required string MetricType { get; init; }

    public required string Unit { get; init; }

    [Description("'total' for the merge of every series of the metric, else 'series'.")]
    public required AggregateScope Scope { get; init; }

    [Description("What was asked for: the filter's tags and the groupBy values; empty for the total.")]
    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    [Description("What the value covers: a window's name, or the step where it is longer.")]
    public required string Window { get; init; }

    [Description("First instant, ms since the epoch (inclusive).")]
    public required long Start { get; init; }

    [Description("End, ms since the epoch (exclusive).")]
    public required long End { get; init; }

    [Description("'final', or 'provisional' while the window is open.")]
    public required AggregateKind Kind { get; init; }

    public required long Count { get; init; }

    public required double Sum { get; init; }

    public required double Avg { get; init; }

    public required double Min { get; init; }

    public required double Max { get; init; }

    public required double P50 { get; init; }

    public required double P95 { get; init; }

    public required double P99 { get; init; }

    [Description("The percentiles asked for with 'percentiles', by their number.")]
    public IReadOnlyDictionary<string, double>? Percentiles { get; init; }

    [Description("Events per second of the window; for COUNTER the sum per second.")]
    public required double Rate { get; init; }

    [Description("The value with the largest event time.")]
    public required double Last { get; init; }

    [Description("Event time of 'last', ms since the epoch.")]
    public required long LastTime { get; init; }

    public required long Errors { get; init; }

    [Description("The largest value that carried a trace.")]
    public Exemplar? Exemplar { get; init; }

    [Description("Worst relative error of a percentile.")]
    public required double MaxRelativeError { get; init; }

    [Description("Events among 'count' that came after the window was final.")]
    public required long Late { get; init; }

    [Description("Input partition, where the value comes from one.")]
    public int? Partition { get; init; }

    [Description("Last input offset that is included, where the value comes from one partition.")]
    public long? AsOfOffset { get; init; }

    [Description("Log time of the newest event that is included, ms since the epoch; live values only.")]
    public long? AsOf { get; init; }

    [Description("'hot' (Redis), 'cold' (PostgreSQL) or 'mixed'.")]
    public required DataSource Source { get; init; }

    [Description("Whether the window is closed. A final value may still be corrected by late events: then 'revision' rises.")]
    public required bool Final { get; init; }

    [Description("0 while provisional, 1 when final, one more for each correction; of a merge the sum of its parts'.")]
    public required long Revision { get; init; }

    [Description("The quantile sketch, base64; only with include=sketch.")]
    public byte[]? Sketch { get; init; }
}

[Description("A service that sent events.")]
public sealed record ServiceAnswer
{
    public required string ServiceId { get; init; }

    [Description("Log time of the last event, ms since the epoch.")]
    public required long LastSeen { get; init; }

    [Description("Number of metrics.")]
    public required int Metrics { get; init; }

    [Description("What the service catalog says of it, e.g. team, tier, environment; empty when it is not in the catalog.")]
    public required IReadOnlyDictionary<string, string> Attributes { get; init; }
}

public sealed record ServicesAnswer
{
    public required IReadOnlyList<ServiceAnswer> Services { get; init; }

    public required DataSource Source { get; init; }
}

[Description("A metric of a service.")]
public sealed record MetricAnswer
{
    public required string MetricName { get; init; }

    public required string MetricType { get; init; }

    public required string Unit { get; init; }

    [Description("Number of series (distinct tag sets).")]
    public required int Series { get; init; }

    [Description("Log time of the last event, ms since the epoch.")]
    public required long LastSeen { get; init; }
}

public sealed record MetricsAnswer
{
    public required string ServiceId { get; init; }

    public required IReadOnlyList<MetricAnswer> Metrics { get; init; }

    public required DataSource Source { get; init; }
}

[Description("The points of one group, ascending by start. Steps without events have no point.")]
public sealed record SeriesAnswer
{
    [Description("The filter's tags and the groupBy values; a groupBy tag that the series lack is left out.")]
    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    public required IReadOnlyList<AggregateAnswer> Points { get; init; }
}

public sealed record SeriesSetAnswer
{
    public required string ServiceId { get; init; }

    public required string MetricName { get; init; }

    public required string Window { get; init; }

    [Description("First instant that was looked at, ms since the epoch: 'from' rounded down to the step.")]
    public required long From { get; init; }

    public required long To { get; init; }

    [Description("Length of a point, ms.")]
    public required long Step { get; init; }

    public required IReadOnlyList<SeriesAnswer> Series { get; init; }

    public required DataSource Source { get; init; }

    [Description("What is missing because a store was away; absent when the answer is complete.")]
    public string? Incomplete { get; init; }
}

public sealed record TopAnswer
{
    public required string Window { get; init; }

    public required string By { get; init; }

    [Description("Totals, the largest first.")]
    public required IReadOnlyList<AggregateAnswer> Items { get; init; }

    public required DataSource Source { get; init; }
}
