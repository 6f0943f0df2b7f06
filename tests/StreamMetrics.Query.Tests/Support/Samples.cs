using StreamMetrics.Contracts;
using StreamMetrics.Sketches;

namespace StreamMetrics.Query.Tests.Support;

/// <summary>Makes aggregates from raw values, as the engine would.</summary>
static class Samples
{
    public const string Service = "payment-service";
    public const string Metric = "api.request.duration";

    public static readonly IReadOnlyDictionary<string, string> NoTags = new Dictionary<string, string>();

    public static IReadOnlyDictionary<string, string> Tags(params (string Key, string Value)[] tags) => tags.ToDictionary(t => t.Key, t => t.Value);

    public static Aggregate Of(
        string window, long start, IReadOnlyList<double> values, IReadOnlyDictionary<string, string>? tags = null, AggregateKind kind = AggregateKind.Final,
        string service = Service, string metric = Metric, string type = MetricTypes.HttpRequest, long errors = 0, long offset = 1)
    {
        var sizeMs = Model.QueryWindow.Find(window)!.SizeMs;
        var sketch = Sketch(values);
        var sum = values.Sum();
        return new()
        {
            ServiceId = service,
            MetricName = metric,
            MetricType = type,
            Unit = "milliseconds",
            Scope = tags is null ? AggregateScope.Total : AggregateScope.Series,
            Tags = tags ?? NoTags,
            Window = window,
            Start = start,
            End = start + sizeMs,
            Kind = kind,
            Count = values.Count,
            Sum = sum,
            Avg = sum / values.Count,
            Min = values.Min(),
            Max = values.Max(),
            P50 = sketch.Quantile(0.5),
            P95 = sketch.Quantile(0.95),
            P99 = sketch.Quantile(0.99),
            Rate = (type == MetricTypes.Counter ? sum : values.Count) / (sizeMs / 1000.0),
            Last = values[^1],
            LastTime = start + sizeMs - 1,
            Errors = errors,
            Exemplar = new("trace-" + values.Max(), null, values.Max(), start + 5),
            MaxRelativeError = sketch.MaxRelativeError,
            Late = 0,
            Partition = 2,
            AsOfOffset = offset,
            Sketch = sketch.ToArray(),
        };
    }

    public static ExponentialHistogram Sketch(IEnumerable<double> values)
    {
        var sketch = new ExponentialHistogram();
        foreach (var value in values) sketch.Add(value);
        return sketch;
    }

    public static string Hash(Aggregate aggregate) =>
        aggregate.Scope == AggregateScope.Total ? TagsHash.Total : TagsHash.Compute(aggregate.Tags);
}
