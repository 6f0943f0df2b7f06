using System.Text.Json;
using StreamMetrics.Contracts;
using StreamMetrics.Sketches;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Archiver.Tests.Support;

/// <summary>A row as far as the topics' content decides it; the sketch as text, so that a failing comparison shows it.</summary>
sealed record ExpectedRow(
    string Service, string Metric, string Window, long Start, string TagsHash, long Count, double Sum, double Min, double Max, double P50, double P99, long Errors,
    long Late, double Last, long LastTime, long Revision, string Sketch);

/// <summary>What the table must hold, computed plainly from what the aggregate topics hold.</summary>
static class ExpectedTable
{
    public static async Task<List<ExpectedRow>> OfTopicsAsync(IKafkaUnderTest kafka)
    {
        var aggregates = new List<Aggregate>();
        foreach (var topic in new[] { Topics.Aggregated1m, Topics.Aggregated5m, Topics.Aggregated15m })
        {
            foreach (var record in await TopicReader.ReadAsync(kafka.BootstrapServers, topic))
            {
                if (record.Message.Key is { } key && System.Text.Encoding.UTF8.GetString(key).StartsWith("garbage", StringComparison.Ordinal)) continue;
                aggregates.Add(JsonSerializer.Deserialize(record.Message.Value!, ContractsJson.Default.Aggregate)!);
            }
        }

        return Of(aggregates);
    }

    public static List<ExpectedRow> Of(IEnumerable<Aggregate> aggregates) =>
    [
        .. aggregates
            .DistinctBy(a => (a.ServiceId, a.MetricName, a.Window, a.Start, Hash(a), a.Partition, a.AsOfOffset))
            .GroupBy(a => (a.ServiceId, a.MetricName, a.Window, a.Start, Hash: Hash(a)))
            .Select(g =>
            {
                var sketch = new ExponentialHistogram();
                foreach (var a in g) sketch.MergeFrom(ExponentialHistogram.Read(a.Sketch));
                var last = g.OrderBy(a => a.LastTime).ThenBy(a => a.Last).Last();
                return new ExpectedRow(
                    g.Key.ServiceId, g.Key.MetricName, g.Key.Window, g.Key.Start, g.Key.Hash, g.Sum(a => a.Count), g.Sum(a => a.Sum), g.Min(a => a.Min), g.Max(a => a.Max),
                    sketch.Quantile(0.5), sketch.Quantile(0.99), g.Sum(a => a.Errors), g.Sum(a => a.Late), last.Last, last.LastTime, g.Count(),
                    Convert.ToHexString(sketch.ToArray()));
            })
            .OrderBy(Order, StringComparer.Ordinal),
    ];

    public static string Order(ExpectedRow row) => $"{row.Service}|{row.Metric}|{row.Window}|{row.Start}|{row.TagsHash}";

    static string Hash(Aggregate a) => a.Scope == AggregateScope.Total ? "" : TagsHash.Compute(a.Tags);
}
