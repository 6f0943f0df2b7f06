using StreamMetrics.Contracts;
using StreamMetrics.Sketches;

namespace StreamMetrics.Archiver.Tests.Support;

/// <summary>Makes aggregates as the engine emits them, from raw values.</summary>
static class Aggregates
{
    /// <summary>Start of the current minute's hour: windows of tests lie in the last two hours.</summary>
    public static readonly long Now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Start of the window that lies some windows back.</summary>
    public static long Start(string window, int windowsBack)
    {
        var length = Length(window);
        return (Now / length * length) - (windowsBack * length);
    }

    public static long Length(string window) => window switch
    {
        WindowNames.OneMinute => 60_000,
        WindowNames.FiveMinutes => 300_000,
        _ => 900_000,
    };

    public static Aggregate Create(
        string service, double[] values, long asOf, long? start = null, int partition = 0, AggregateKind kind = AggregateKind.Final,
        string window = WindowNames.OneMinute, string metric = "api.request.duration", IReadOnlyDictionary<string, string>? tags = null,
        string metricType = MetricTypes.HttpRequest)
    {
        var sketch = new ExponentialHistogram();
        foreach (var value in values) sketch.Add(value);
        var from = start ?? Start(window, 2);
        return new()
        {
            ServiceId = service,
            MetricName = metric,
            MetricType = metricType,
            Unit = "milliseconds",
            Scope = tags is null ? AggregateScope.Total : AggregateScope.Series,
            Tags = tags ?? new Dictionary<string, string>(),
            Window = window,
            Start = from,
            End = from + Length(window),
            Kind = kind,
            Count = values.Length,
            Sum = values.Sum(),
            Avg = values.Average(),
            Min = values.Min(),
            Max = values.Max(),
            P50 = sketch.Quantile(0.5),
            P95 = sketch.Quantile(0.95),
            P99 = sketch.Quantile(0.99),
            Rate = values.Length / (Length(window) / 1000.0),
            Last = values[^1],
            LastTime = from + values.Length,
            Errors = values.Count(v => v > 900),
            Exemplar = new($"trace-{asOf}", "span", values.Max(), from),
            MaxRelativeError = sketch.MaxRelativeError,
            Late = kind == AggregateKind.Correction ? values.Length : 0,
            Partition = partition,
            AsOfOffset = asOf,
            Sketch = sketch.ToArray(),
        };
    }

    /// <summary>Whole numbers, so that sums are exact in whatever order they are added.</summary>
    public static double[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(1, 1000))];
}
