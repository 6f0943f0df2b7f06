using System.Diagnostics;
using System.Text;
using StreamMetrics.Client.Kafka;
using StreamMetrics.Contracts;

namespace StreamMetrics.LoadGenerator.Sending;

/// <summary>
/// Follows some events from here on: a span from handing over to acknowledgement, whose W3C context goes along in the record's header and in
/// the event. Which ones is decided here and for the whole way (head sampling): so many per second, whatever the rate, so that tracing
/// costs an event nothing but a comparison. One thread.
/// </summary>
sealed class EventTracing(double tracesPerSecond)
{
    /// <summary>Name of the activity source.</summary>
    public const string SourceName = "StreamMetrics.LoadGenerator";

    /// <summary>Header of the W3C trace context, zero-terminated as the client wants it.</summary>
    public static ReadOnlySpan<byte> Header => "traceparent\0"u8;

    static readonly ActivitySource Source = new(SourceName);

    readonly Dictionary<long, Activity> _spans = [];
    readonly double _intervalMs = tracesPerSecond > 0 ? 1000 / tracesPerSecond : double.PositiveInfinity;
    double _next;

    /// <summary>Whether somebody wants spans at all.</summary>
    public static bool IsWanted => Source.HasListeners();

    /// <summary>Whether an event that is created now is one to follow.</summary>
    /// <param name="now">ms since the epoch.</param>
    public bool IsDue(long now) => now >= _next && tracesPerSecond > 0 && IsWanted;

    /// <summary>Starts the span of an event; null when the sampler is against it.</summary>
    public Activity? Start(string serviceId, long now)
    {
        _next = now + _intervalMs;
        var span = Source.StartActivity($"send {Topics.Events}", ActivityKind.Producer, parentContext: default);
        Activity.Current = null; // it ends elsewhere; nothing that happens meanwhile is a part of it
        return span?.SetTag("messaging.system", "kafka").SetTag("messaging.operation.type", "send").SetTag("messaging.operation.name", "send")
            .SetTag("messaging.destination.name", Topics.Events).SetTag("messaging.kafka.message.key", serviceId);
    }

    /// <summary>The header's value.</summary>
    public static byte[] Context(Activity span) => Encoding.ASCII.GetBytes(span.Id!);

    /// <summary>The event is on its way under this number.</summary>
    public void Sent(long id, Activity span) => _spans[id] = span;

    /// <summary>What became of an event.</summary>
    public void Delivered(in Delivery delivery)
    {
        if (_spans.Count == 0 || !_spans.Remove(delivery.Id, out var span)) return;
        span.SetTag("messaging.destination.partition.id", delivery.Partition).SetTag("messaging.kafka.offset", delivery.Offset);
        span.SetStatus(delivery.IsAcknowledged ? ActivityStatusCode.Ok : ActivityStatusCode.Error).Dispose();
    }
}
