using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using StreamMetrics.Contracts;

namespace StreamMetrics.ServiceDefaults.Kafka;

/// <summary>
/// Turns librdkafka's statistics into the metrics <c>kafka.producer.*</c> and <c>kafka.consumer.*</c>, tagged by client. For the services that
/// use a client directly; the stream worker has the same figures among its own.
/// </summary>
public sealed class KafkaClientMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "StreamMetrics.Kafka";

    /// <summary>How often a client has to give its figures, ms.</summary>
    public const int IntervalMs = 5000;

    readonly Meter _meter;
    readonly ConcurrentDictionary<string, KafkaStatistics> _clients = new();

    public KafkaClientMetrics(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        _meter = meters.Create(MeterName);
        Gauge("kafka.producer.record-send-rate", "{record}/s", "Records acknowledged per second.", isProducer: true, f => f.RecordsPerSecond);
        Gauge("kafka.producer.record-error-rate", "{error}/s", "Send requests that failed per second.", isProducer: true, f => f.ErrorsPerSecond);
        Gauge("kafka.producer.request-latency-avg", "ms", "Mean round trip to the brokers.", isProducer: true, f => f.LatencyMs);
        Gauge("kafka.consumer.records-consumed-rate", "{record}/s", "Records received per second.", isProducer: false, f => f.RecordsPerSecond);
        Gauge("kafka.consumer.fetch-latency-avg", "ms", "Mean round trip to the brokers, waiting for data included.", isProducer: false, f => f.LatencyMs);
    }

    /// <summary>The client's setting that goes with this.</summary>
    public static KeyValuePair<string, string> Interval { get; } = new("statistics.interval.ms", FormattableString.Invariant($"{IntervalMs}"));

    /// <summary>New figures of a client. Any thread.</summary>
    /// <param name="json">STATISTICS.md of librdkafka describes it.</param>
    public void Statistics(string json)
    {
        var now = KafkaStatistics.Parse(json);
        _clients.AddOrUpdate(now.Name, now, (_, before) => now.Since(before));
    }

    /// <summary>Whether an instrument is one of these; tests of one process have several of the same name.</summary>
    internal bool Owns(Instrument instrument) => instrument.Meter == _meter;

    public void Dispose() => _meter.Dispose();

    void Gauge(string name, string unit, string description, bool isProducer, Func<KafkaStatistics, double> value) =>
        _meter.CreateObservableGauge(
            name,
            () => _clients.Where(c => c.Value.IsProducer == isProducer).Select(c => new Measurement<double>(value(c.Value), new KeyValuePair<string, object?>("client", c.Key))),
            unit,
            description);
}
