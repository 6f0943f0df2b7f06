using Confluent.Kafka;
using StreamMetrics.Archiver.Tests.Support;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Archiver.Tests;

/// <summary>The archiver's own program between a Kafka, a real PostgreSQL and a real Redis.</summary>
[Collection(KafkaCollection.Name)]
public sealed class SinkTests(EveryKafkaFixture kafkas, StoresFixture stores) : IClassFixture<StoresFixture>, IAsyncLifetime
{
    EmbeddedKafkaUnderTest? _embedded;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_embedded is not null) await _embedded.DisposeAsync();
    }

    [Theory, OnEmbeddedKafka, OnRealKafka]
    public async Task Finals_and_corrections_of_all_windows_reach_the_table(KafkaKind kind)
    {
        var setting = await SettingAsync(kind);
        await setting.ProduceAsync(Load("finals", seed: 1, services: 20, windowsBack: 5));
        await using var archiver = setting.StartArchiver();
        await archiver.WaitForHealthAsync();
        await setting.AssertTableEqualsTopicsAsync("after one run", archiver);
        await setting.ProduceAsync(Load("finals", seed: 2, services: 20, windowsBack: 3));
        await setting.AssertTableEqualsTopicsAsync("after more came", archiver);
        Assert.Equal(0, await archiver.StopAsync());
    }

    [Theory, OnEmbeddedKafka]
    public async Task Ten_kills_while_it_writes_change_nothing_in_the_table(KafkaKind kind)
    {
        var (setting, database) = await SettingWithDatabaseAsync(kind);
        using var stop = new CancellationTokenSource();
        var load = Task.Run(() => ProduceUntilAsync(setting, stop.Token), CancellationToken.None);
        await using var store = new ColdStore(database);
        for (var kill = 1; kill <= 10; kill++)
        {
            await using var victim = setting.StartArchiver(settings: ("Archiver__MaxBatchRecords", "100"));
            var before = await store.AppliedAsync();
            await Eventually.AssertAsync($"kill {kill}: it writes", async () =>
            {
                victim.ThrowIfEnded();
                Assert.True(await store.AppliedAsync() > before + 500, victim.Tail());
            });
            await victim.KillAsync();
        }

        await stop.CancelAsync();
        await load;
        await using var archiver = setting.StartArchiver();
        await setting.AssertTableEqualsTopicsAsync("after ten kills", archiver);
    }

    [Theory, OnEmbeddedKafka]
    public async Task An_outage_of_PostgreSQL_under_load_loses_nothing_and_is_told_once(KafkaKind kind)
    {
        var (setting, database) = await SettingWithDatabaseAsync(kind);
        using var stop = new CancellationTokenSource();
        var load = Task.Run(() => ProduceUntilAsync(setting, stop.Token), CancellationToken.None);
        await using var archiver = setting.StartArchiver();
        await using (var store = new ColdStore(database))
        {
            await Eventually.AssertAsync("it writes", async () =>
            {
                archiver.ThrowIfEnded();
                Assert.True(await store.AppliedAsync() > 500, archiver.Tail());
            });
        }

        await stores.Postgres.StopAsync();
        await archiver.WaitForOutputAsync("PostgreSQL is away");
        await archiver.WaitForStatusAsync("/health", 503);
        await archiver.WaitForHealthAsync("/alive");
        await stores.Postgres.ResumeAsync();
        await archiver.WaitForOutputAsync("PostgreSQL is back");
        await stop.CancelAsync();
        await load;
        await setting.AssertTableEqualsTopicsAsync("after the outage", archiver);
        await archiver.WaitForHealthAsync();
        Assert.Single(archiver.Output, l => l.Contains("PostgreSQL is away; consuming pauses", StringComparison.Ordinal));
        Assert.Single(archiver.Output, l => l.Contains("PostgreSQL is back", StringComparison.Ordinal));
    }

    [Trait("Category", "Full")]
    [Theory, OnRealKafka]
    public async Task The_same_on_real_Kafka(KafkaKind kind)
    {
        await Ten_kills_while_it_writes_change_nothing_in_the_table(kind);
        await An_outage_of_PostgreSQL_under_load_loses_nothing_and_is_told_once(kind);
    }

    [Theory, OnEmbeddedKafka, OnRealKafka]
    public async Task Several_instances_share_the_work_while_one_of_them_dies(KafkaKind kind)
    {
        var setting = await SettingAsync(kind);
        using var stop = new CancellationTokenSource();
        var load = Task.Run(() => ProduceUntilAsync(setting, stop.Token), CancellationToken.None);
        await using var first = setting.StartArchiver("first");
        await using var second = setting.StartArchiver("second");
        await first.WaitForOutputAsync("Archiving ");
        await second.WaitForOutputAsync("Archiving ");
        await first.KillAsync();
        await using var again = setting.StartArchiver("first");
        await again.WaitForOutputAsync("Archiving ");
        await stop.CancelAsync();
        await load;
        await setting.AssertTableEqualsTopicsAsync("with two instances", second);
        Assert.Equal(0, await second.StopAsync());
    }

    [Theory, OnEmbeddedKafka, OnRealKafka]
    public async Task What_is_no_aggregate_is_kept_with_its_reason(KafkaKind kind)
    {
        var (setting, database) = await SettingWithDatabaseAsync(kind);
        using (var producer = setting.Kafka.CreateProducer())
        {
            foreach (var text in new[] { "{", "null", "{}", "[1]", "\"\\ud800\"" })
                await producer.ProduceAsync(Topics.Aggregated1m, new Message<byte[]?, byte[]?> { Key = "garbage"u8.ToArray(), Value = System.Text.Encoding.UTF8.GetBytes(text) });
            await producer.ProduceAsync(Topics.Aggregated5m, new Message<byte[]?, byte[]?> { Key = "garbage"u8.ToArray(), Value = null });
        }

        await setting.ProduceAsync(Load("beside-garbage", seed: 3, services: 1, windowsBack: 1));
        await using var archiver = setting.StartArchiver();
        await setting.AssertTableEqualsTopicsAsync("with garbage between", archiver);
        await using var store = new ColdStore(database);
        // They lie in partitions of their own, perhaps, which may be read after all others.
        await Eventually.EqualAsync("the garbage is kept", 6L, () => store.ScalarAsync<long>("SELECT count(*) FROM sink_rejects WHERE reason <> ''"));
        Assert.Equal("{", await store.ScalarAsync<string>("SELECT convert_from(value, 'UTF8') FROM sink_rejects WHERE topic = 'metrics-aggregated-1m' ORDER BY \"offset\" LIMIT 1"));
    }

    [Theory, OnEmbeddedKafka]
    public async Task What_the_service_catalog_says_is_kept_and_what_is_unreadable_there_keeps_no_aggregate_away(KafkaKind kind)
    {
        var (setting, database) = await SettingWithDatabaseAsync(kind);
        using (var producer = setting.Kafka.CreateProducer())
        {
            var catalogs = new[] { """{"team":"a\u0000b"}""", "{", null, """{"team":"payments"}""" };
            for (var i = 0; i < catalogs.Length; i++)
            {
                var aggregate = Aggregates.Create("with-catalog", [1, 2], 1_000_000 + i, Aggregates.Start("1m", i / 2 + 1));
                Headers? headers = catalogs[i] is { } json ? [new Header(KafkaHeaders.Catalog, System.Text.Encoding.UTF8.GetBytes(json))] : null;
                ArchiverSetting.Produce(producer, [aggregate], headers);
            }

            producer.Flush(Eventually.DefaultTimeout);
        }

        await using var archiver = setting.StartArchiver();
        await setting.AssertTableEqualsTopicsAsync("with catalogs", archiver);
        await using var store = new ColdStore(database);
        const string Catalogs = "SELECT string_agg(catalog->>'team', ',' ORDER BY \"timestamp\") FROM metric_aggregates WHERE service_id = 'with-catalog'";
        Assert.Equal("payments,a\uFFFDb", await store.ScalarAsync<string>(Catalogs));
        await archiver.WaitForOutputAsync("sm-catalog");
    }

    [Theory, OnEmbeddedKafka, OnRealKafka]
    public async Task A_topic_that_was_created_anew_is_read_from_its_beginning_however_much_it_holds(KafkaKind kind)
    {
        var (setting, database) = await SettingWithDatabaseAsync(kind);
        await setting.ProduceAsync(Load("before", seed: 1, services: 1, windowsBack: 1));
        await using (var archiver = setting.StartArchiver())
        {
            await setting.AssertTableEqualsTopicsAsync("the first topics", archiver);
            Assert.Equal(0, await archiver.StopAsync());
        }

        await setting.Kafka.DeleteTopicsAsync(Topics.Aggregated1m, Topics.Aggregated5m, Topics.Aggregated15m);
        await setting.Kafka.CreateProductTopicsAsync();
        // More than the old topics held, so the old offsets exist.
        await setting.ProduceAsync(Load("after", seed: 2, services: 10, windowsBack: 2));
        var expected = (await ExpectedTable.OfTopicsAsync(setting.Kafka)).Count;
        await using var again = setting.StartArchiver();
        await using var store = new ColdStore(database);
        await Eventually.EqualAsync("everything of the new topics is there", (long)expected, () => store.ScalarAsync<long>("SELECT count(*) FROM metric_aggregates WHERE service_id LIKE 'after-%'"));
        Assert.Contains(again.Output, line => line.Contains("its topic was created anew", StringComparison.Ordinal));
    }

    /// <summary>
    /// Finals of every window size for totals and series, each with corrections, some of them from another input partition. A later
    /// load of the same services must have a larger seed: offsets grow.
    /// </summary>
    static IEnumerable<Aggregate> Load(string prefix, int seed, int services, int windowsBack)
    {
        var random = new Random(seed);
        var asOf = seed * 1_000_000L;
        for (var s = 0; s < services; s++)
        {
            foreach (var window in new[] { WindowNames.OneMinute, WindowNames.FiveMinutes, WindowNames.FifteenMinutes })
            {
                for (var back = 1; back <= windowsBack; back++)
                {
                    foreach (var tags in new[] { null, new Dictionary<string, string> { ["endpoint"] = "/a" }, new() { ["endpoint"] = "/b", ["nul"] = "\0" } })
                    {
                        var start = Aggregates.Start(window, back);
                        yield return Aggregates.Create($"{prefix}-{s}", Aggregates.Values(random, 20), ++asOf, start, window: window, tags: tags);
                        if (random.Next(3) == 0)
                            yield return Aggregates.Create($"{prefix}-{s}", Aggregates.Values(random, 3), ++asOf, start, kind: AggregateKind.Correction, window: window, tags: tags);
                        if (random.Next(5) == 0) yield return Aggregates.Create($"{prefix}-{s}", Aggregates.Values(random, 7), ++asOf, start, partition: 4, window: window, tags: tags);
                    }
                }
            }
        }
    }

    static async Task ProduceUntilAsync(ArchiverSetting setting, CancellationToken stop)
    {
        var prefix = $"under-load-{Guid.NewGuid():N}";
        using var producer = setting.Kafka.CreateProducer();
        for (var round = 1; !stop.IsCancellationRequested; round++)
        {
            ArchiverSetting.Produce(producer, Load(prefix, round, services: 10, windowsBack: 2));
            producer.Flush(Eventually.DefaultTimeout);
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None);
        }
    }

    async Task<ArchiverSetting> SettingAsync(KafkaKind kind) => (await SettingWithDatabaseAsync(kind)).Setting;

    async Task<(ArchiverSetting Setting, string Database)> SettingWithDatabaseAsync(KafkaKind kind)
    {
        // An embedded broker of its own, which takes no time to start: every test reads the topics from their beginning, and some fill them.
        var kafka = kind == KafkaKind.Embedded ? _embedded ??= await EmbeddedKafkaUnderTest.StartAsync() : await kafkas.GetAsync(kind);
        await kafka.CreateProductTopicsAsync();
        var database = await stores.Postgres.CreateDatabaseAsync();
        return (new ArchiverSetting(kafka, database, stores.Redis.ConnectionString), database);
    }
}
