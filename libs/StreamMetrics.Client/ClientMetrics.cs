using System.Diagnostics.Metrics;

namespace StreamMetrics.Client;

/// <summary>The client's own meter, <c>StreamMetrics.Client</c>. Everything is read when it is asked for: recording pays nothing.</summary>
sealed class ClientMetrics : IDisposable
{
    const string UnitEvent = "{event}";

    readonly Meter _meter = new("StreamMetrics.Client");

    public ClientMetrics(StreamMetricsClient client)
    {
        _meter.CreateObservableCounter("streammetrics.client.events.queued", () => client.Statistics.Queued, UnitEvent, "Events put into the queue.");
        _meter.CreateObservableCounter(
            "streammetrics.client.events.acknowledged", () => client.Statistics.Acknowledged, UnitEvent, "Events acknowledged by Kafka.");
        _meter.CreateObservableCounter(
            "streammetrics.client.events.changed", () => client.Statistics.Changed, UnitEvent, "Events changed to fit the limits of an event.");
        _meter.CreateObservableCounter("streammetrics.client.events.dropped", () => Dropped(client), UnitEvent, "Events dropped, by reason.");
        _meter.CreateObservableGauge("streammetrics.client.queue.usage", () => client.QueueUsage, "By", "Bytes waiting in the queue.");
        _meter.CreateObservableGauge("streammetrics.client.series", () => client.SeriesCount, "{series}", "Series whose serialised form is kept.");
    }

    public void Dispose() => _meter.Dispose();

    static IEnumerable<Measurement<long>> Dropped(StreamMetricsClient client) =>
        client.Statistics.Dropped.Select(d => new Measurement<long>(d.Value, new KeyValuePair<string, object?>("reason", Name(d.Key))));

    static string Name(DropReason reason) => reason switch
    {
        DropReason.QueueFull => "queue-full",
        DropReason.ValueNotFinite => "value-not-finite",
        DropReason.NoName => "no-name",
        DropReason.SeriesLimit => "series-limit",
        DropReason.Refused => "refused",
        DropReason.Shutdown => "shutdown",
        DropReason.Closed => "closed",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, null),
    };
}
