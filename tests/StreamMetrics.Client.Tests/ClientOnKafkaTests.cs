using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StreamMetrics.Client.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Client.Tests;

/// <summary>The client with a broker.</summary>
public abstract class ClientOnKafkaTests
{
    readonly string _topic = $"events-{Guid.NewGuid():N}";

    protected abstract IKafkaUnderTest Kafka { get; }

    protected abstract Task BreakAsync();

    protected abstract Task MendAsync();

    protected async Task What_was_recorded_is_in_the_topic_once_when_dispose_returns()
    {
        await Kafka.CreateTopicAsync(_topic, 6);
        var client = new StreamMetricsClient(Options());
        await Task.WhenAll(Enumerable.Range(0, 4).Select(t => Task.Run(() =>
        {
            for (var i = 0; i < 5_000; i++) client.Record("orders", i, "1", MetricTypes.Counter, new KeyValuePair<string, object?>("thread", t));
        })));
        await client.DisposeAsync();
        Assert.Equal((20_000, 20_000), (client.Statistics.Queued, client.Statistics.Acknowledged));
        Assert.All(client.Statistics.Dropped, d => Assert.Equal(0, d.Value));
        var records = await TopicReader.ReadAsync(Kafka.BootstrapServers, _topic);
        var events = records.ConvertAll(r => EventContract.AssertValid(r.Message.Value));
        Assert.Equal(20_000, events.Select(e => e.GetProperty("eventId").GetGuid()).Distinct().Count());
        Assert.Equal(4 * 5_000L * 4_999 / 2, events.Sum(e => e.GetProperty("value").GetDouble()));
        Assert.All(records, r => Assert.Equal("shop"u8.ToArray(), r.Message.Key));
    }

    protected async Task The_partition_is_the_one_other_clients_choose()
    {
        await Kafka.CreateTopicAsync(_topic, 6);
        foreach (var service in new[] { "shop", "payment-service", "cart", "x.y_z" })
        {
            await using var client = new StreamMetricsClient(Options(o => o.ServiceId = service));
            client.Record("a", 1, "1", "CUSTOM");
            using var other = Kafka.CreateProducer();
            await other.ProduceAsync(_topic, new() { Key = System.Text.Encoding.UTF8.GetBytes(service), Value = [] });
        }

        var records = await TopicReader.ReadAsync(Kafka.BootstrapServers, _topic);
        Assert.Equal(8, records.Count);
        Assert.All(records.GroupBy(r => Convert.ToHexString(r.Message.Key!)), g => Assert.Single(g.Select(r => r.Partition.Value).Distinct()));
    }

    protected async Task A_traced_event_arrives_with_its_header_and_its_number()
    {
        const string context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        await Kafka.CreateTopicAsync(_topic, 1);
        var observer = new Deliveries();
        using var producer = new EventProducer(_topic, ProducerSettings.Create(Kafka.BootstrapServers, [new("statistics.interval.ms", "50")]), observer);

        Assert.Equal(0, producer.Send("shop"u8, "plain"u8, 1));
        Assert.Equal(0, producer.SendWithHeader("shop"u8, "traced"u8, 2, "traceparent\0"u8, Encoding.ASCII.GetBytes(context)));
        await Eventually.TrueAsync("both are acknowledged and the client gave its figures", () =>
        {
            producer.Poll(TimeSpan.Zero);
            return observer.Ids.Count == 2 && observer.Statistics is not null;
        });

        Assert.Equal([1, 2], observer.Ids);
        Assert.Contains("\"type\": \"producer\"", observer.Statistics, StringComparison.Ordinal);
        var records = await TopicReader.ReadAsync(Kafka.BootstrapServers, _topic);
        Assert.Equal(["plain", "traced"], records.Select(r => Encoding.UTF8.GetString(r.Message.Value!)));
        Assert.All(records, r => Assert.Equal("shop"u8.ToArray(), r.Message.Key));
        Assert.Empty(records[0].Message.Headers ?? []);
        Assert.Equal(context, Encoding.ASCII.GetString(Assert.Single(records[1].Message.Headers).GetValueBytes()));
    }

    protected async Task A_host_sends_what_its_meters_measured()
    {
        await Kafka.CreateTopicAsync(_topic, 1);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var meterName = _topic;
        builder.Services.AddStreamMetrics(o =>
        {
            (o.BootstrapServers, o.ServiceId, o.Topic, o.ShutdownTimeout) = (Kafka.BootstrapServers, "shop", _topic, Eventually.DefaultTimeout);
            o.Meters.Add(meterName);
        });
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = Eventually.DefaultTimeout);
        using (var host = builder.Build())
        {
            await host.StartAsync();
            using var meter = new Meter(meterName);
            meter.CreateHistogram<double>("http.server.request.duration", "s").Record(0.25);
            meter.CreateCounter<int>("orders").Add(3);
            await host.StopAsync();
        }

        var events = (await TopicReader.ReadAsync(Kafka.BootstrapServers, _topic)).ConvertAll(r => EventContract.AssertValid(r.Message.Value));
        Assert.Equal(
            [("http.server.request.duration", "HTTP_REQUEST", 0.25), ("orders", "COUNTER", 3)],
            events.Select(e => (e.GetProperty("metricName").GetString()!, e.GetProperty("metricType").GetString()!, e.GetProperty("value").GetDouble())).Order());
    }

    protected async Task An_outage_of_the_broker_loses_and_doubles_nothing()
    {
        await Kafka.CreateTopicAsync(_topic, 1);
        await using var client = new StreamMetricsClient(Options());
        for (var i = 0; i < 1_000; i++) client.Record("a", i, "1", "CUSTOM");
        await Eventually.TrueAsync("the first events are acknowledged", () => client.Statistics.Acknowledged == 1_000);
        await BreakAsync();
        for (var i = 0; i < 1_000; i++) client.Record("a", i, "1", "CUSTOM");
        await MendAsync();
        await client.DisposeAsync();
        Assert.Equal(2_000, client.Statistics.Acknowledged);
        var records = await TopicReader.ReadAsync(Kafka.BootstrapServers, _topic);
        Assert.Equal(2_000, records.Select(r => EventContract.AssertValid(r.Message.Value).GetProperty("eventId").GetGuid()).Distinct().Count());
        Assert.Equal(2_000, records.Count);
    }

    sealed class Deliveries : IEventProducerObserver
    {
        public List<long> Ids { get; } = [];

        public string? Statistics { get; private set; }

        void IEventProducerObserver.Delivered(in Delivery delivery) => Ids.Add(delivery.Id);

        void IEventProducerObserver.Trouble(int code, string reason)
        {
        }

        void IEventProducerObserver.Log(int severity, string text)
        {
        }

        void IEventProducerObserver.Statistics(string json) => Statistics = json;
    }

    StreamMetricsClientOptions Options(Action<StreamMetricsClientOptions>? change = null)
    {
        var options = new StreamMetricsClientOptions { ServiceId = "shop", Topic = _topic, BootstrapServers = Kafka.BootstrapServers, ShutdownTimeout = Eventually.DefaultTimeout };
        change?.Invoke(options);
        return options;
    }
}

public sealed class ClientOnTheEmbeddedBrokerTests : ClientOnKafkaTests, IAsyncLifetime
{
    EmbeddedKafkaUnderTest? _kafka;

    protected override IKafkaUnderTest Kafka => _kafka!;

    public async Task InitializeAsync() => _kafka = await EmbeddedKafkaUnderTest.StartAsync();

    public async Task DisposeAsync() => await _kafka!.DisposeAsync();

    protected override Task BreakAsync() => _kafka!.StopAsync();

    protected override Task MendAsync() => _kafka!.ResumeAsync();

    [Fact]
    public Task Embedded_What_was_recorded_is_in_the_topic_once_when_dispose_returns() => What_was_recorded_is_in_the_topic_once_when_dispose_returns();

    [Fact]
    public Task Embedded_The_partition_is_the_one_other_clients_choose() => The_partition_is_the_one_other_clients_choose();

    [Fact]
    public Task Embedded_A_traced_event_arrives_with_its_header_and_its_number() => A_traced_event_arrives_with_its_header_and_its_number();

    [Fact]
    public Task Embedded_A_host_sends_what_its_meters_measured() => A_host_sends_what_its_meters_measured();

    [Fact]
    public Task Embedded_An_outage_of_the_broker_loses_and_doubles_nothing() => An_outage_of_the_broker_loses_and_doubles_nothing();
}

public sealed class ClientOnRealKafkaTests(OneRealBroker fixture) : ClientOnKafkaTests, IClassFixture<OneRealBroker>
{
    protected override IKafkaUnderTest Kafka => fixture.Kafka;

    protected override Task BreakAsync() => fixture.Kafka.KillAsync(1);

    protected override Task MendAsync() => fixture.Kafka.ResumeAsync(1);

    [RealKafkaFact]
    public Task Real_What_was_recorded_is_in_the_topic_once_when_dispose_returns() => What_was_recorded_is_in_the_topic_once_when_dispose_returns();

    [RealKafkaFact]
    public Task Real_The_partition_is_the_one_other_clients_choose() => The_partition_is_the_one_other_clients_choose();

    [RealKafkaFact]
    public Task Real_A_traced_event_arrives_with_its_header_and_its_number() => A_traced_event_arrives_with_its_header_and_its_number();

    [RealKafkaFact]
    public Task Real_A_host_sends_what_its_meters_measured() => A_host_sends_what_its_meters_measured();

    [RealKafkaFact]
    public Task Real_An_outage_of_the_broker_loses_and_doubles_nothing() => An_outage_of_the_broker_loses_and_doubles_nothing();
}

/// <summary>One real broker for a class; none where there is no Apache Kafka, and the tests are skipped.</summary>
public sealed class OneRealBroker : IAsyncLifetime
{
    RealKafka? _kafka;

    public RealKafka Kafka => _kafka ?? throw new InvalidOperationException(RealKafka.Unavailable);

    public async Task InitializeAsync()
    {
        if (RealKafka.Unavailable is null) _kafka = await RealKafka.StartAsync(brokers: 1);
    }

    public async Task DisposeAsync()
    {
        if (_kafka is not null) await _kafka.DisposeAsync();
    }
}
