using System.Diagnostics;
using System.Text;
using Confluent.Kafka;

namespace StreamMetrics.Archiver.Sink;

/// <summary>A span per batch, linked to the commits of the aggregators whose aggregates it writes (W3C context in the record's headers).</summary>
static class SinkTracing
{
    const string TraceParent = "traceparent";
    const int MaxLinks = 32;
    static readonly ActivitySource Source = new(ArchiverMetrics.MeterName);

    /// <summary>The context that a record carries; null when there is none or nobody traces.</summary>
    public static ActivityContext? ContextOf(Headers headers) =>
        Source.HasListeners() && headers.TryGetLastBytes(TraceParent, out var value) && ActivityContext.TryParse(Encoding.ASCII.GetString(value), null, isRemote: true, out var context)
            ? context
            : null;

    /// <summary>Starts the span of a batch; null when nobody traces.</summary>
    public static Activity? Start(SinkBatch batch)
    {
        if (!Source.HasListeners()) return null;
        var links = batch.Records.Select(r => r.Origin).OfType<ActivityContext>().Distinct().Take(MaxLinks).Select(c => new ActivityLink(c));
        return Source.StartActivity("archive aggregates", ActivityKind.Consumer, parentContext: default, links: links)?.SetTag("messaging.batch.message_count", batch.Records.Count);
    }
}
