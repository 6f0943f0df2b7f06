using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;
using StreamMetrics.Client.Kafka;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Client.Tests;

/// <summary>The client without a broker.</summary>
public sealed class ClientTests
{
    [Fact]
    public async Task Without_a_broker_events_beyond_the_queues_are_dropped_and_all_are_accounted_for()
    {
        var client = new StreamMetricsClient(Options(o =>
        {
            (o.QueueBytes, o.ShutdownTimeout) = (1 << 18, TimeSpan.FromMilliseconds(200));
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
        await using var client = new StreamMetricsClient(Options(o => o.ShutdownTimeout = TimeSpan.Zero));
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
        var e = Assert.Throws<EventProducerException>(() => new StreamMetricsClient(Options(o => o.Kafka["linger.msx"] = "5")));
        Assert.Contains("linger.msx", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_is_in_no_message()
    {
        var e = Assert.Throws<EventProducerException>(() => new StreamMetricsClient(Options(o => o.Kafka["sasl.passwordx.password"] = "t0p-secret")));
        Assert.Contains("sasl.passwordx.password", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("t0p-secret", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_security_is_named()
    {
        var e = Assert.Throws<OptionsValidationException>(() => new StreamMetricsClient(Options(o => o.Security = new() { Protocol = "SSL", CaFile = "/no/such/ca.pem" })));
        Assert.Equal("StreamMetrics:Security:CaFile is '/no/such/ca.pem': there is no such file.", Assert.Single(e.Failures));
    }

    static StreamMetricsClientOptions Options(Action<StreamMetricsClientOptions> change)
    {
        var options = new StreamMetricsClientOptions { ServiceId = "shop", BootstrapServers = $"127.0.0.1:{Ports.Free()}" };
        change(options);
        return options;
    }
}
