using System.Diagnostics;
using System.Text;
using Confluent.Kafka;

namespace StreamMetrics.Archiver.Sink;

/// <summary>
/// The spans of a batch (W3C context in the records' headers): one in each trace that its aggregates come from, linked to the first, which is
/// the parent of what the database client does. A batch without traced aggregates has none.
/// </summary>
sealed class SinkTracing : IDisposable
{
    const string TraceParent = "traceparent";

    // All that the aggregators follow at the end of a minute (16 windows a commit), with room for some partitions more.
    const int MaxTraces = 256;

    static readonly ActivitySource Source = new(ArchiverMetrics.MeterName);

    readonly List<Activity> _spans = [];

    /// <summary>The context that a record carries; null when there is none or nobody traces.</summary>
    public static ActivityContext? ContextOf(Headers headers) =>
        Source.HasListeners() && headers.TryGetLastBytes(TraceParent, out var value) && ActivityContext.TryParse(Encoding.ASCII.GetString(value), null, isRemote: true, out var context)
            ? context
            : null;

    /// <summary>Starts the spans of a batch; null when nobody traces.</summary>
    public static SinkTracing? Start(SinkBatch batch)
    {
        if (!Source.HasListeners()) return null;
        var tracing = new SinkTracing();
        foreach (var group in batch.Records.Where(r => r.Origin is not null).GroupBy(r => r.Origin!.Value).Take(MaxTraces))
        {
            var topic = group.First().Position.Topic;
            ActivityLink[] links = tracing._spans is [var first, ..] ? [new(first.Context)] : [];
            var span = Source.StartActivity($"process {topic}", ActivityKind.Consumer, group.Key, null, links);
            if (span is null) continue;
            span.SetTag("messaging.system", "kafka").SetTag("messaging.operation.type", "process").SetTag("messaging.operation.name", "process")
                .SetTag("messaging.destination.name", topic).SetTag("messaging.batch.message_count", batch.Records.Count);
            tracing._spans.Add(span);
        }

        Activity.Current = tracing._spans.FirstOrDefault();
        return tracing;
    }

    /// <summary>
    /// The writing of a batch's rows to Redis, by the semantic conventions for databases (https://opentelemetry.io/docs/specs/semconv/db/redis/).
    /// </summary>
    public static Activity? StartHistory(ActivityContext batch, int rows) => Source.StartActivity("EVALSHA history", ActivityKind.Client, batch)
        ?.SetTag("db.system.name", "redis").SetTag("db.operation.name", "EVALSHA").SetTag("db.query.summary", "EVALSHA history").SetTag("db.operation.batch.size", rows);

    /// <summary>How the batch ended.</summary>
    public void SetStatus(ActivityStatusCode code, string description)
    {
        foreach (var span in _spans) span.SetStatus(code, description);
    }

    public void Dispose()
    {
        foreach (var span in _spans) span.Dispose();
        Activity.Current = null;
    }
}
