using System.Collections.Concurrent;
using System.Text.Json;
using Confluent.Kafka;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;
using Aggregate = StreamMetrics.Contracts.Aggregate;

namespace StreamMetrics.Aggregator.Tests;

/// <summary>The live lane of a real aggregator process: embedded broker, real Redis.</summary>
public sealed class LiveLaneTests : IAsyncLifetime, IDisposable
{
    readonly TempFolder _data = new("live");
    EmbeddedKafkaUnderTest? _kafka;
    RealRedis? _redis;
    IConnectionMultiplexer? _connection;
    IProducer<byte[]?, byte[]?>? _producer;

    IDatabase Database => _connection!.GetDatabase();

    public async Task InitializeAsync()
    {
        _kafka = await EmbeddedKafkaUnderTest.StartAsync();
        await _kafka.CreateProductTopicsAsync();
        _redis = await RealRedis.StartAsync();
        _connection = await _redis.ConnectAsync();
        _producer = _kafka.CreateProducer();
    }

    public async Task DisposeAsync()
    {
        _producer!.Dispose();
        await _connection!.DisposeAsync();
        await _redis!.DisposeAsync();
        await _kafka!.DisposeAsync();
    }

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Values_statuses_and_messages_reach_Redis()
    {
        await using var aggregator = Start();
        await aggregator.WaitForHealthAsync();
        var messages = new ConcurrentQueue<Aggregate>();
        var channel = await _connection!.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisKeys.Live("svc")));
        channel.OnMessage(m => messages.Enqueue(JsonSerializer.Deserialize((string)m.Message!, ContractsJson.Default.Aggregate)!));

        for (var i = 0; i < 10; i++) Produce("svc", 10);
        await Eventually.EqualAsync("the total is written", 10L, async () => (long)await Database.HashGetAsync("metrics:svc:m:15m", "count"));
        await Eventually.TrueAsync(
            "the values are published",
            () => messages.Any(m => m is { Window: "1m", Kind: AggregateKind.Provisional, Scope: AggregateScope.Total, Sketch: null } && m.Count == 10));
        await Eventually.TrueAsync("every partition has a status", async () =>
        {
            for (var p = 0; p < 6; p++)
            {
                if (await Database.StringGetAsync(RedisKeys.Pipeline(p)) is not { HasValue: true } json) return false;
                if (JsonSerializer.Deserialize((string)json!, ContractsJson.Default.PartitionStatus)!.Partition != p) return false;
            }

            return true;
        });
    }

    [Fact]
    public async Task A_Redis_that_stands_still_or_comes_back_empty_holds_nothing_up_and_is_filled_again()
    {
        await using var aggregator = Start();
        Produce("idle", 1);
        Produce("busy", 1);
        await Eventually.EqualAsync("the first values are written", 1L, async () => (long)await Database.HashGetAsync("metrics:busy:m:15m", "count"));
        await Eventually.EqualAsync("and those of the other service", 1L, async () => (long)await Database.HashGetAsync("metrics:idle:m:15m", "count"));

        _redis!.Freeze();
        for (var i = 0; i < 20; i++) Produce("busy", 1);
        _producer!.Produce(Topics.Events, new() { Key = "busy"u8.ToArray(), Value = "no event"u8.ToArray() });
        await Eventually.TrueAsync("events are committed meanwhile", async () => (await TopicReader.ReadAsync(_kafka!.BootstrapServers, Topics.DeadLetter)).Count == 1);
        _redis.Thaw();
        await Eventually.EqualAsync("the newest value is written", 21L, async () => (long)await Database.HashGetAsync("metrics:busy:m:15m", "count"));

        await _redis.KillAsync();
        Produce("busy", 1);
        await _redis.ResumeAsync();
        await Eventually.EqualAsync("the busy service is back", 22L, async () => (long)await Database.HashGetAsync("metrics:busy:m:15m", "count"));
        await Eventually.EqualAsync("and the idle one", 1L, async () => (long)await Database.HashGetAsync("metrics:idle:m:15m", "count"));
        await Eventually.TrueAsync("and the catalog", async () => await Database.HashExistsAsync(RedisKeys.Services, "idle"));
        Assert.False(aggregator.HasExited, aggregator.Tail());
    }

    [Fact]
    public async Task A_watched_series_is_written_more_often()
    {
        await using var aggregator = Start(("Aggregator__Live__Interval", "00:01:00"), ("Aggregator__Live__WatchedInterval", "00:00:00.010"));
        Produce("svc", 1);
        await Eventually.EqualAsync("the first value is written", 1L, async () => (long)await Database.HashGetAsync("metrics:svc:m:15m", "count"));
        Produce("svc", 1);
        var inAnHour = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds();
        await Database.SortedSetAddAsync(RedisKeys.Interest, RedisKeys.InterestMember("svc", "m", TagsHash.Total), inAnHour);
        // Before the minute of an unwatched series.
        await Eventually.EqualAsync("the second is written", 2L, async () => (long)await Database.HashGetAsync("metrics:svc:m:15m", "count"), TimeSpan.FromSeconds(50));
    }

    [Fact]
    public async Task The_service_catalog_stands_beside_aggregates_and_in_Redis_and_follows_its_file()
    {
        var file = _data.Combine("catalog.json");
        await File.WriteAllTextAsync(file, """{"svc": {"team": "payments"}}""");
        await using var aggregator = Start(
            ("Aggregator__Catalog__File", file), ("Aggregator__Engine__Grace", "00:00:01"),
            ("Aggregator__Engine__Windows__0__Size", "00:00:10"),
            ("Aggregator__Engine__SlidingSize", "00:00:10"), ("Aggregator__Engine__CorrectionHorizon", "00:01:00"));
        await Eventually.EqualAsync("it is in Redis", """{"team":"payments"}""", async () => (string?)await Database.HashGetAsync(RedisKeys.ServiceAttributes, "svc"));
        Produce("svc", 1);
        Produce("unlisted", 1);
        await Eventually.AssertAsync("finals are written", async () =>
        {
            aggregator.ThrowIfEnded();
            var finals = await TopicReader.ReadAsync(_kafka!.BootstrapServers, Topics.Aggregated1m);
            Assert.Contains(finals, f => Service(f) == "unlisted" && CatalogOf(f) is null);
            Assert.Contains(finals, f => Service(f) == "svc" && CatalogOf(f) == """{"team":"payments"}""");
        });

        await ReplaceAsync(file, """{"svc": {"team": 1}}""");
        await aggregator.WaitForOutputAsync("'svc.team' must be a text");
        Assert.Equal("""{"team":"payments"}""", await Database.HashGetAsync(RedisKeys.ServiceAttributes, "svc"));
        await ReplaceAsync(file, """{"unlisted": {"team": "search"}}""");
        await Eventually.EqualAsync("the change is in Redis", """{"team":"search"}""", async () => (string?)await Database.HashGetAsync(RedisKeys.ServiceAttributes, "unlisted"));
        await Eventually.TrueAsync("and so is the end of the other", async () => !await Database.HashExistsAsync(RedisKeys.ServiceAttributes, "svc"));

        static string Service(ConsumeResult<byte[]?, byte[]?> record) => System.Text.Encoding.UTF8.GetString(record.Message.Key!);
        static string? CatalogOf(ConsumeResult<byte[]?, byte[]?> record) =>
            record.Message.Headers.TryGetLastBytes(KafkaHeaders.Catalog, out var json) ? System.Text.Encoding.UTF8.GetString(json) : null;
    }

    void Produce(string service, double value) => _producer!.Produce(Topics.Events, new()
    {
        Key = System.Text.Encoding.UTF8.GetBytes(service),
        Value = EventLoad.Event(service, "m", "/a", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), value),
    });

    // As a whole: who looks at the file now and then must not see half of it.
    static async Task ReplaceAsync(string file, string text)
    {
        await File.WriteAllTextAsync(file + ".next", text);
        File.Move(file + ".next", file, overwrite: true);
    }

    // Lengths of windows that have begun and end after any test: a window that ends in the middle of one would hold a part of what it sent.
    static string[] LongWindows()
    {
        var now = TimeProvider.System.GetUtcNow().UtcTicks;
        return [.. Enumerable.Range(1, 24).Select(hours => TimeSpan.FromHours(hours)).Where(size => now % size.Ticks < size.Ticks - TimeSpan.FromMinutes(20).Ticks).Take(3)
            .Select(size => size == TimeSpan.FromDays(1) ? "1.00:00:00" : size.ToString())];
    }

    ServiceProcess Start(params (string Key, string Value)[] settings)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__kafka"] = _kafka!.BootstrapServers,
            ["ConnectionStrings__redis"] = _redis!.ConnectionString,
            ["Aggregator__DataDirectory"] = _data.Path,
            ["Aggregator__Delivery"] = "AtLeastOnce",
        };
        foreach (var (name, size, i) in new[] { "1m", "5m", "15m" }.Zip(LongWindows(), Enumerable.Range(0, 3)))
            (environment[$"Aggregator__Engine__Windows__{i}__Name"], environment[$"Aggregator__Engine__Windows__{i}__Size"]) = (name, size);
        foreach (var (key, value) in settings) environment[key] = value;
        return ServiceProcess.Start("StreamMetrics.Aggregator", environment);
    }
}
