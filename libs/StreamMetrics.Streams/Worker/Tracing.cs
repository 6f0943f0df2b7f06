using System.Diagnostics;
using System.Text;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// Spans of the worker, by the semantic conventions for messaging (https://opentelemetry.io/docs/specs/semconv/messaging/). Who sends an event
/// decides whether it is traced: everything here starts from a context that came with a record or stands in an aggregate's exemplar.
/// </summary>
static class Tracing
{
    /// <summary>The worker's spans are of this source.</summary>
    public static readonly ActivitySource Source = new(AggregatorMetrics.SourceName);

    /// <summary>From taking an event in until its commit begins.</summary>
    /// <param name="partition">Input partition.</param>
    /// <param name="producer">Context of the event's producer.</param>
    public static Activity? StartProcess(int partition, ActivityContext producer) => Detached(
        Source.StartActivity($"process {Topics.Events}", ActivityKind.Consumer, producer), "process", Topics.Events)
        ?.SetTag("messaging.consumer.group.name", Topics.ProcessorGroup).SetTag("messaging.destination.partition.id", partition);

    /// <summary>A commit: part of the first traced event's trace, linked to the others.</summary>
    /// <param name="partition">Input partition.</param>
    /// <param name="events">Spans of the traced events in it, one at least.</param>
    public static Activity? StartCommit(int partition, IReadOnlyList<Activity> events) => Detached(
        Source.StartActivity(
            "commit", ActivityKind.Internal, events[0].Context, [new("messaging.destination.partition.id", partition)], events.Skip(1).Select(e => new ActivityLink(e.Context))),
        "settle",
        Topics.Events);

    /// <summary>The sending of a finished window on behalf of the event that is its exemplar; the context for its readers, if there is one.</summary>
    /// <param name="topic">Topic of the aggregate.</param>
    /// <param name="aggregate">The aggregate as JSON.</param>
    /// <param name="commit">The commit it is part of, if that is traced.</param>
    public static ActivityContext? Send(string topic, ReadOnlySpan<byte> aggregate, ActivityContext? commit)
    {
        if (!TryFindExemplar(aggregate, out var origin)) return null;
        ActivityLink[] links = commit is { } context ? [new(context)] : [];
        using var span = Detached(Source.StartActivity($"send {topic}", ActivityKind.Producer, origin, null, links), "send", topic);
        return span?.Context;
    }

    /// <summary>Value of the W3C header.</summary>
    /// <param name="context">The context.</param>
    public static byte[] TraceParent(in ActivityContext context) =>
        Encoding.ASCII.GetBytes($"00-{context.TraceId.ToHexString()}-{context.SpanId.ToHexString()}-{(context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? "01" : "00")}");

    static bool TryFindExemplar(ReadOnlySpan<byte> aggregate, out ActivityContext context)
    {
        context = default;
        var start = aggregate.IndexOf("\"exemplar\":"u8);
        return start >= 0 && ExemplarTrace.TryRead(aggregate[(start + "\"exemplar\":"u8.Length)..], out context);
    }

    /// <summary>Spans of several partitions overlap on one thread: none is the parent of another.</summary>
    static Activity? Detached(Activity? span, string operation, string topic)
    {
        Activity.Current = null;
        return span?.SetTag("messaging.system", "kafka").SetTag("messaging.operation.type", operation).SetTag("messaging.operation.name", operation)
            .SetTag("messaging.destination.name", topic);
    }
}
