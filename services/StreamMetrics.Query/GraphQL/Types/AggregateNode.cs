using System.Globalization;
using HotChocolate;
using HotChocolate.CostAnalysis.Types;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.GraphQL.Types;

[GraphQLName("Tag")]
[GraphQLDescription("A tag of a series.")]
sealed record TagNode(string Key, string Value)
{
    public static IReadOnlyList<TagNode> ListOf(IReadOnlyDictionary<string, string> tags) => [.. tags.Select(t => new TagNode(t.Key, t.Value))];
}

[GraphQLName("Percentile")]
[GraphQLDescription("A percentile that was asked for.")]
sealed record PercentileNode(double Percentile, double Value);

[GraphQLName("Exemplar")]
[GraphQLDescription("The largest value of a window that carried a trace.")]
sealed class ExemplarNode(Exemplar exemplar)
{
    public string TraceId => exemplar.TraceId;

    public string? SpanId => exemplar.SpanId;

    public double Value => exemplar.Value;

    [GraphQLDescription("Event time, ms since the epoch.")]
    public long Time => exemplar.Time;
}

[GraphQLName("Aggregate")]
[GraphQLDescription("One window of one series, of a merge of series, or of a total.")]
sealed class AggregateNode(AggregateAnswer answer)
{
    public string ServiceId => answer.ServiceId;

    public string MetricName => answer.MetricName;

    public string MetricType => answer.MetricType;

    public string Unit => answer.Unit;

    [GraphQLDescription("TOTAL for the merge of every series of the metric, else SERIES.")]
    public AggregateScope Scope => answer.Scope;

    [Cost(0)]
    [ListSize(AssumedSize = 10)]
    [GraphQLDescription("What was asked for: the filter's tags and the groupBy values; empty for the total.")]
    public IReadOnlyList<TagNode> Tags => TagNode.ListOf(answer.Tags);

    [GraphQLDescription("What the value covers: a window's name, or the step where it is longer.")]
    public string Window => answer.Window;

    [GraphQLDescription("First instant, ms since the epoch (inclusive).")]
    public long Start => answer.Start;

    [GraphQLDescription("End, ms since the epoch (exclusive).")]
    public long End => answer.End;

    [GraphQLDescription("FINAL, or PROVISIONAL while the window is open.")]
    public AggregateKind Kind => answer.Kind;

    public long Count => answer.Count;

    public double Sum => answer.Sum;

    public double Avg => answer.Avg;

    public double Min => answer.Min;

    public double Max => answer.Max;

    public double P50 => answer.P50;

    public double P95 => answer.P95;

    public double P99 => answer.P99;

    [Cost(0)]
    [ListSize(AssumedSize = 10)]
    [GraphQLDescription("The percentiles asked for with 'percentiles'.")]
    public IReadOnlyList<PercentileNode> Percentiles =>
        [.. (answer.Percentiles ?? new Dictionary<string, double>()).Select(p => new PercentileNode(double.Parse(p.Key, CultureInfo.InvariantCulture), p.Value))];

    [GraphQLDescription("Events per second of the window; for COUNTER the sum per second.")]
    public double Rate => answer.Rate;

    [GraphQLDescription("The value with the largest event time.")]
    public double Last => answer.Last;

    [GraphQLDescription("Event time of 'last', ms since the epoch.")]
    public long LastTime => answer.LastTime;

    public long Errors => answer.Errors;

    [Cost(0)]
    public ExemplarNode? Exemplar => answer.Exemplar is { } exemplar ? new(exemplar) : null;

    [GraphQLDescription("Worst relative error of a percentile.")]
    public double MaxRelativeError => answer.MaxRelativeError;

    [GraphQLDescription("Events among 'count' that came after the window was final.")]
    public long Late => answer.Late;

    [GraphQLDescription("Input partition, where the value comes from one.")]
    public int? Partition => answer.Partition;

    [GraphQLDescription("Last input offset that is included, where the value comes from one partition.")]
    public long? AsOfOffset => answer.AsOfOffset;

    [GraphQLDescription("Log time of the newest event that is included, ms since the epoch; live values only.")]
    public long? AsOf => answer.AsOf;

    [GraphQLDescription("HOT (Redis), COLD (PostgreSQL) or MIXED.")]
    public DataSource Source => answer.Source;

    [GraphQLDescription("Whether the window is closed. A final value may still be corrected by late events: then 'revision' rises.")]
    public bool Final => answer.Final;

    [GraphQLDescription("0 while provisional, 1 when final, one more for each correction; of a merge the sum of its parts'.")]
    public long Revision => answer.Revision;

    [GraphQLDescription("The quantile sketch, base64; only with 'sketch: true'.")]
    public string? Sketch => answer.Sketch is { } sketch ? Convert.ToBase64String(sketch) : null;
}
