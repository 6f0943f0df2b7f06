using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.LoadGenerator.Http;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.LoadGenerator.Tests;

/// <summary>The real program with a broker; what it says it sent is compared with what is in the topic.</summary>
public abstract class GeneratorProcessTests
{
    static readonly HttpClient Http = new();

    readonly TempFolder _data = new("generator");

    protected abstract IKafkaUnderTest Kafka { get; }

    protected async Task The_ledger_equals_the_topic_also_after_kills()
    {
        await using (var first = await StartAsync(4000))
        {
            await SentAtLeast(first, 10_000);
            await PauseAndCompare(first);
            Assert.Equal(HttpStatusCode.OK, (await Http.PostAsync(new Uri(first.Address, "/resume"), null)).StatusCode);
            await SentAtLeast(first, 15_000);
            // In full flight, with events on their way and a ledger on disk that is up to two seconds old.
            await first.KillAsync();
        }

        for (var i = 0; i < 2; i++)
        {
            await using var next = await StartAsync(10_000);
            await SentAtLeast(next, (await LedgerAsync(next)).Events.Sent + 10_000);
            await next.KillAsync();
        }

        await using (var last = await StartAsync(0))
        {
            await PauseAndCompare(last);
            Assert.Equal(0, await last.StopAsync());
        }

        await using var again = await StartAsync(0);
        await PauseAndCompare(again);
        _data.Dispose();
    }

    protected async Task Events_of_others_are_not_in_the_ledger()
    {
        await using var generator = await StartAsync(500);
        await SentAtLeast(generator, 500);
        await generator.KillAsync();
        using (var other = Kafka.CreateProducer())
        {
            var foreign = (await TopicReader.ReadAsync(Kafka.BootstrapServers, Topics.Events)).First(r => r.Message.Value is not null);
            // An event of another program, a clock record and a replay of one of ours.
            await other.ProduceAsync(Topics.Events, new() { Key = foreign.Message.Key, Value = WithId(foreign.Message.Value!, Guid.NewGuid()) });
            await other.ProduceAsync(Topics.Events, new() { Headers = [new Header(KafkaHeaders.Clock, [])] });
            await other.ProduceAsync(Topics.Events, new()
            {
                Key = foreign.Message.Key, Value = foreign.Message.Value, Headers = [new Header(KafkaHeaders.Replay, "t/0/0"u8.ToArray())],
            });
        }

        var own = (await TopicReader.ReadAsync(Kafka.BootstrapServers, Topics.Events)).Count - 3;
        await using var next = await StartAsync(0);
        Assert.Equal(own, (await LedgerAsync(next)).Events.Acknowledged);
        _data.Dispose();
    }

    async Task PauseAndCompare(ServiceProcess generator)
    {
        (await Http.PostAsync(new Uri(generator.Address, "/pause"), null)).EnsureSuccessStatusCode();
        LedgerAnswer? ledger = null;
        await Eventually.AssertAsync("everything is acknowledged", async () =>
        {
            ledger = await LedgerAsync(generator);
            Assert.Equal(ledger.Events.Sent, ledger.Events.Acknowledged);
        });
        var topic = Recount.Of(await TopicReader.ReadAsync(Kafka.BootstrapServers, Topics.Events));
        Assert.Equal(topic.Events, ledger!.Events with { Sent = 0 });
        Assert.Equal(topic.Windows.Keys.Order(), ledger.Windows.Select(w => (w.ServiceId, w.MetricName, w.Start)).Order());
        Assert.All(ledger.Windows, w =>
        {
            var (count, sum) = topic.Windows[(w.ServiceId, w.MetricName, w.Start)];
            Assert.Equal(count, w.Count);
            Assert.Equal((double)sum, w.Sum, 1e-9 * w.Sum);
        });
    }

    async Task<ServiceProcess> StartAsync(double rate)
    {
        var generator = ServiceProcess.Start("StreamMetrics.LoadGenerator", new Dictionary<string, string?>
        {
            ["ConnectionStrings__kafka"] = Kafka.BootstrapServers,
            ["LoadGenerator__EventsPerSecond"] = "0",
            ["LoadGenerator__DataDirectory"] = _data.Path,
            ["LoadGenerator__LateShare"] = "0.02",
            ["LoadGenerator__BeyondHorizonShare"] = "0.01",
            ["LoadGenerator__InvalidShare"] = "0.02",
            ["LoadGenerator__DuplicateShare"] = "0.01",
        });
        await generator.WaitForHealthAsync();
        await generator.WaitForOutputAsync("Generating");
        // Only now: what is sent while a busy machine looks for the line above is all to be read and compared.
        using var body = new StringContent(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{{\"eventsPerSecond\":{rate}}}"));
        (await Http.PutAsync(new Uri(generator.Address, "/rate"), body)).EnsureSuccessStatusCode();
        return generator;
    }

    static Task SentAtLeast(ServiceProcess generator, long count) =>
        Eventually.AssertAsync($"{count} events are sent", async () => Assert.InRange((await LedgerAsync(generator)).Events.Sent, count, long.MaxValue));

    static async Task<LedgerAnswer> LedgerAsync(ServiceProcess generator) =>
        (await Http.GetFromJsonAsync<LedgerAnswer>(new Uri(generator.Address, "/ledger")))!;

    static byte[] WithId(byte[] json, Guid id) => Encoding.UTF8.GetBytes($"{{\"eventId\":\"{id}{Encoding.UTF8.GetString(json)[48..]}");

    /// <summary>Counts a topic from what its events say, knowing nothing of how the generator marks them.</summary>
    sealed record Recount(EventsAnswer Events, Dictionary<(string, string, long), (long Count, decimal Sum)> Windows)
    {
        const long HorizonMs = 3_600_000;
        const long MarginMs = 60_000;

        public static Recount Of(List<ConsumeResult<byte[]?, byte[]?>> records)
        {
            long invalid = 0, corrected = 0, late = 0, duplicate = 0;
            var windows = new Dictionary<(string, string, long), (long, decimal)>();
            var ids = new HashSet<Guid>();
            foreach (var record in records)
            {
                if (Parse(record) is not { } e) invalid++;
                else if (!ids.Add(e.GetProperty("eventId").GetGuid())) duplicate++;
                else
                {
                    var time = e.GetProperty("timestamp").GetInt64();
                    var lateness = record.Message.Timestamp.UnixTimestampMs - time;
                    Assert.False(lateness is > HorizonMs - MarginMs / 2 and < HorizonMs + MarginMs, $"{lateness} ms late: too near to the horizon.");
                    Assert.False(lateness is > MarginMs and < 16 * MarginMs, $"{lateness} ms late: its windows may be open or not.");
                    if (lateness > HorizonMs) late++;
                    else
                    {
                        if (lateness > MarginMs) corrected++;
                        var key = (e.GetProperty("serviceId").GetString()!, e.GetProperty("metricName").GetString()!, time - time % 60_000);
                        var (count, sum) = windows.GetValueOrDefault(key);
                        windows[key] = (count + 1, sum + e.GetProperty("value").GetDecimal());
                    }
                }
            }

            return new(new(0, records.Count, invalid, corrected, late, duplicate), windows);
        }

        static JsonElement? Parse(ConsumeResult<byte[]?, byte[]?> record)
        {
            try
            {
                var e = EventContract.AssertValid(record.Message.Value);
                var lateness = record.Message.Timestamp.UnixTimestampMs - e.GetProperty("timestamp").GetInt64();
                return lateness is < -60_000 or > 7 * 86_400_000L ? null : e;
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or Xunit.Sdk.XunitException)
            {
                return null;
            }
        }
    }
}

public sealed class GeneratorOnTheEmbeddedBrokerTests : GeneratorProcessTests, IAsyncLifetime
{
    EmbeddedKafkaUnderTest? _kafka;

    protected override IKafkaUnderTest Kafka => _kafka!;

    public async Task InitializeAsync() => _kafka = await EmbeddedKafkaUnderTest.StartAsync();

    public async Task DisposeAsync() => await _kafka!.DisposeAsync();

    [Fact]
    public Task Embedded_The_ledger_equals_the_topic_also_after_kills() => The_ledger_equals_the_topic_also_after_kills();

    [Fact]
    public Task Embedded_Events_of_others_are_not_in_the_ledger() => Events_of_others_are_not_in_the_ledger();
}

public sealed class GeneratorOnRealKafkaTests : GeneratorProcessTests, IAsyncLifetime
{
    RealKafka? _kafka;

    protected override IKafkaUnderTest Kafka => _kafka!;

    public async Task InitializeAsync()
    {
        if (RealKafka.Unavailable is null) _kafka = await RealKafka.StartAsync(brokers: 1);
    }

    public async Task DisposeAsync()
    {
        if (_kafka is not null) await _kafka.DisposeAsync();
    }

    [RealKafkaFact]
    public Task Real_The_ledger_equals_the_topic_also_after_kills() => The_ledger_equals_the_topic_also_after_kills();
}
