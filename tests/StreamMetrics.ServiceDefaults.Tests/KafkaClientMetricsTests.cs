using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using StreamMetrics.ServiceDefaults.Kafka;
using Xunit;

namespace StreamMetrics.ServiceDefaults.Tests;

/// <summary>librdkafka's statistics as metrics.</summary>
public sealed class KafkaClientMetricsTests
{
    [Fact]
    public void A_producer_gives_rates_and_the_mean_round_trip_over_its_brokers()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var metrics = new KafkaClientMetrics(services.GetRequiredService<IMeterFactory>());
        metrics.Statistics(Statistics("producer", microseconds: 1_000_000, sent: 100, received: 7, errors: 1));
        metrics.Statistics(Statistics("producer", microseconds: 3_000_000, sent: 2_100, received: 7, errors: 5));

        var values = Read(metrics);

        Assert.Equal(1_000, values["kafka.producer.record-send-rate"]);
        Assert.Equal(2, values["kafka.producer.record-error-rate"]);
        Assert.Equal(3.5, values["kafka.producer.request-latency-avg"]);
        Assert.DoesNotContain("kafka.consumer.records-consumed-rate", values.Keys);
    }

    [Fact]
    public void A_consumer_counts_what_it_received_and_one_that_was_started_anew_starts_from_zero()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var metrics = new KafkaClientMetrics(services.GetRequiredService<IMeterFactory>());
        metrics.Statistics(Statistics("consumer", microseconds: 1_000_000, sent: 0, received: 1_000, errors: 0));
        metrics.Statistics(Statistics("consumer", microseconds: 2_000_000, sent: 0, received: 1_500, errors: 0));
        Assert.Equal(500, Read(metrics)["kafka.consumer.records-consumed-rate"]);

        metrics.Statistics(Statistics("consumer", microseconds: 500_000, sent: 0, received: 10, errors: 0));

        Assert.Equal(0, Read(metrics)["kafka.consumer.records-consumed-rate"]);
        Assert.Equal(3.5, Read(metrics)["kafka.consumer.fetch-latency-avg"]);
    }

    static Dictionary<string, double> Read(KafkaClientMetrics metrics)
    {
        var values = new Dictionary<string, double>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, l) => Enable(instrument, l, metrics) };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            Assert.Equal("rdkafka#1", tags[0].Value);
            values[instrument.Name] = value;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }

    static void Enable(Instrument instrument, MeterListener listener, KafkaClientMetrics metrics)
    {
        if (metrics.Owns(instrument)) listener.EnableMeasurementEvents(instrument);
    }

    // Two brokers: 3 requests of 2 ms and 1 of 8 ms.
    static string Statistics(string type, long microseconds, long sent, long received, long errors) =>
        FormattableString.Invariant($"{{\"name\":\"rdkafka#1\",\"client_id\":\"rdkafka\",\"type\":\"{type}\",\"ts\":{microseconds},\"txmsgs\":{sent},\"rxmsgs\":{received},")
        + FormattableString.Invariant($"\"brokers\":{{\"a\":{{\"txerrs\":{errors},\"rtt\":{{\"cnt\":3,\"avg\":2000}}}},\"b\":{{\"txerrs\":0,\"rtt\":{{\"cnt\":1,\"avg\":8000}}}}}}}}");
}
