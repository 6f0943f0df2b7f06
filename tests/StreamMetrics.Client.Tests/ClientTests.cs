using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using StreamMetrics.Client.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Client.Tests;

/// <summary>The client with a real broker, and without one.</summary>
public sealed class ClientTests(KafkaFixture fixture) : IClassFixture<KafkaFixture>
{
    readonly string _topic = $"events-{Guid.NewGuid():N}";

    [RealKafkaFact]
    public async Task What_was_recorded_is_in_the_topic_once_when_dispose_returns()
    {
        await fixture.Kafka.CreateTopicAsync(_topic, 6);
        var client = new StreamMetricsClient(Options());
        await Task.WhenAll(Enumerable.Range(0, 4).Select(t => Task.Run(() =>
        {
            for (var i = 0; i < 5_000; i++) client.Record("orders", i, "1", MetricTypes.Counter, new KeyValuePair<string, object?>("thread", t));
        })));
        await client.DisposeAsync();
        Assert.Equal((20_000, 20_000), (client.Statistics.Queued, client.Statistics.Acknowledged));
        Assert.All(client.Statistics.Dropped, d => Assert.Equal(0, d.Value));
        var records = await TopicReader.ReadAsync(fixture.Kafka.BootstrapServers, _topic);
        var events = records.ConvertAll(r => EventContract.AssertValid(r.Message.Value));
        Assert.Equal(20_000, events.Select(e => e.GetProperty("eventId").GetGuid()).Distinct().Count());
        Assert.Equal(4 * 5_000L * 4_999 / 2, events.Sum(e => e.GetProperty("value").GetDouble()));
        Assert.All(records, r => Assert.Equal("shop"u8.ToArray(), r.Message.Key));
    }

    [RealKafkaFact]
    public async Task The_partition_is_the_one_other_clients_choose()
    {
        await fixture.Kafka.CreateTopicAsync(_topic, 6);
        foreach (var service in new[] { "shop", "payment-service", "cart", "x.y_z" })
        {
            await using var client = new StreamMetricsClient(Options(o => o.ServiceId = service));
            client.Record("a", 1, "1", "CUSTOM");
            using var other = fixture.Kafka.CreateProducer();
            await other.ProduceAsync(_topic, new() { Key = System.Text.Encoding.UTF8.GetBytes(service), Value = [] });
        }

        var records = await TopicReader.ReadAsync(fixture.Kafka.BootstrapServers, _topic);
        Assert.Equal(8, records.Count);
        Assert.All(records.GroupBy(r => Convert.ToHexString(r.Message.Key!)), g => Assert.Single(g.Select(r => r.Partition.Value).Distinct()));
    }

    [RealKafkaFact]
    public async Task A_host_sends_what_its_meters_measured()
    {
        await fixture.Kafka.CreateTopicAsync(_topic, 1);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var meterName = _topic;
        builder.Services.AddStreamMetrics(o =>
        {
            (o.BootstrapServers, o.ServiceId, o.Topic) = (fixture.Kafka.BootstrapServers, "shop", _topic);
            o.Meters.Add(meterName);
        });
        using (var host = builder.Build())
        {
            await host.StartAsync();
            using var meter = new Meter(meterName);
            meter.CreateHistogram<double>("http.server.request.duration", "s").Record(0.25);
            meter.CreateCounter<int>("orders").Add(3);
            await host.StopAsync();
        }

        var events = (await TopicReader.ReadAsync(fixture.Kafka.BootstrapServers, _topic)).ConvertAll(r => EventContract.AssertValid(r.Message.Value));
        Assert.Equal(
            [("http.server.request.duration", "HTTP_REQUEST", 0.25), ("orders", "COUNTER", 3)],
            events.Select(e => (e.GetProperty("metricName").GetString()!, e.GetProperty("metricType").GetString()!, e.GetProperty("value").GetDouble())).Order());
    }

    [RealKafkaFact]
    public async Task An_outage_of_the_broker_loses_and_doubles_nothing()
    {
        await using var kafka = await RealKafka.StartAsync(brokers: 1);
        await kafka.CreateTopicAsync(_topic, 1);
        await using var client = new StreamMetricsClient(Options(o => (o.BootstrapServers, o.ShutdownTimeout) = (kafka.BootstrapServers, TimeSpan.FromMinutes(1))));
        for (var i = 0; i < 1_000; i++) client.Record("a", i, "1", "CUSTOM");
        await Eventually.TrueAsync("the first events are acknowledged", () => client.Statistics.Acknowledged == 1_000);
        await kafka.KillAsync(1);
        for (var i = 0; i < 1_000; i++) client.Record("a", i, "1", "CUSTOM");
        await kafka.ResumeAsync(1);
        await client.DisposeAsync();
        Assert.Equal(2_000, client.Statistics.Acknowledged);
        var records = await TopicReader.ReadAsync(kafka.BootstrapServers, _topic);
        Assert.Equal(2_000, records.Select(r => EventContract.AssertValid(r.Message.Value).GetProperty("eventId").GetGuid()).Distinct().Count());
        Assert.Equal(2_000, records.Count);
    }

    [Fact]
    public async Task Without_a_broker_events_beyond_the_queues_are_dropped_and_all_are_accounted_for()
    {
        var client = new StreamMetricsClient(Options(o =>
        {
            (o.BootstrapServers, o.QueueBytes, o.ShutdownTimeout) = ($"127.0.0.1:{Ports.Free()}", 1 << 18, TimeSpan.FromMilliseconds(200));
            o.Kafka["queue.buffering.max.messages"] = "1000";
        }));
        const int Events = 10_000;
        for (var i = 0; i < Events; i++) client.Record("a", i, "1", "CUSTOM");
        Assert.InRange(client.Statistics.Dropped[DropReason.QueueFull], 1, Events - 1);
        await client.DisposeAsync();
        client.Record("a", 0, "1", "CUSTOM");
        var dropped = client.Statistics.Dropped;
        Assert.Equal(1, dropped[DropReason.Closed]);
        Assert.Equal(client.Statistics.Queued, dropped[DropReason.Shutdown]);
        Assert.Equal(Events, dropped[DropReason.QueueFull] + dropped[DropReason.Shutdown]);
        Assert.Equal(0, client.Statistics.Acknowledged);
    }

    [Fact]
    public async Task What_was_dropped_is_a_metric()
    {
        await using var client = new StreamMetricsClient(Options(o => (o.BootstrapServers, o.ShutdownTimeout) = ($"127.0.0.1:{Ports.Free()}", TimeSpan.Zero)));
        client.Record("a", double.NaN, "1", "CUSTOM");
        var seen = new Dictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (i, l) =>
            {
                if (i.Meter.Name == "StreamMetrics.Client") l.EnableMeasurementEvents(i);
            },
        };
        listener.SetMeasurementEventCallback<long>((i, v, tags, _) =>
        {
            var name = $"{i.Name} {(tags.Length == 0 ? "" : tags[0].Value)}";
            seen[name] = seen.GetValueOrDefault(name) + v;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        // Clients of other tests may live beside this one.
        Assert.True(seen["streammetrics.client.events.dropped value-not-finite"] >= 1);
    }

    [Theory]
    [InlineData("", "127.0.0.1:1", "StreamMetrics:ServiceId is ''")]
    [InlineData("my shop", "127.0.0.1:1", "StreamMetrics:ServiceId is 'my shop'")]
    [InlineData("shop", "", "StreamMetrics:BootstrapServers is ''")]
    public void Wrong_options_are_named(string service, string servers, string expected)
    {
        var e = Assert.Throws<OptionsValidationException>(() => new StreamMetricsClient(new() { ServiceId = service, BootstrapServers = servers }));
        Assert.StartsWith(expected, Assert.Single(e.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_Kafka_setting_is_named()
    {
        var e = Assert.Throws<EventProducerException>(() => new StreamMetricsClient(Options(o => o.Kafka["linger.msx"] = "5", "127.0.0.1:1")));
        Assert.Contains("linger.msx", e.Message, StringComparison.Ordinal);
    }

    StreamMetricsClientOptions Options(Action<StreamMetricsClientOptions>? change = null, string? servers = null)
    {
        var options = new StreamMetricsClientOptions { ServiceId = "shop", Topic = _topic, BootstrapServers = servers ?? fixture.Servers };
        change?.Invoke(options);
        return options;
    }
}
