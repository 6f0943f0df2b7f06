using System.Text.Json;
using StackExchange.Redis;
using StreamMetrics.Archiver.Tests.Support;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;
using Aggregate = StreamMetrics.Contracts.Aggregate;

namespace StreamMetrics.Archiver.Tests;

/// <summary>The last hour in Redis follows PostgreSQL, and Redis may come and go.</summary>
public sealed class HotHistoryTests(EveryKafkaFixture kafkas, StoresFixture stores) : IClassFixture<EveryKafkaFixture>, IClassFixture<StoresFixture>
{
    [Fact]
    public async Task The_history_has_the_merged_rows_and_comes_back_after_a_loss_of_Redis()
    {
        var kafka = await kafkas.GetAsync(KafkaKind.Embedded);
        await kafka.CreateProductTopicsAsync();
        var setting = new ArchiverSetting(kafka, await stores.Postgres.CreateDatabaseAsync(), stores.Redis.ConnectionString);
        var service = $"history-{Guid.NewGuid():N}";
        var random = new Random(5);
        var finals = Enumerable.Range(1, 5).Select(back => Create(back, asOf: back, AggregateKind.Final)).ToList();
        var old = Create(windowsBack: 70, asOf: 99, AggregateKind.Final);
        await setting.ProduceAsync([.. finals, old]);
        await using var archiver = setting.StartArchiver();
        await AssertHistoryAsync("finals", finals);

        var correction = Create(windowsBack: 2, asOf: 50, AggregateKind.Correction);
        await setting.ProduceAsync([correction]);
        await AssertHistoryAsync("a correction replaces its row", [.. finals, correction]);

        using (var redis = await stores.Redis.ConnectAsync())
        {
            Assert.InRange((await redis.GetDatabase().KeyTimeToLiveAsync(Key()))!.Value, TimeSpan.FromMinutes(50), TimeSpan.FromMinutes(60));
            await redis.GetServers()[0].FlushAllDatabasesAsync();
        }

        await AssertHistoryAsync("refilled after it was emptied", [.. finals, correction]);

        await stores.Redis.KillAsync();
        await archiver.WaitForOutputAsync("Redis is away; its history");
        var missed = Create(windowsBack: 6, asOf: 60, AggregateKind.Final);
        await setting.ProduceAsync([missed]);
        await setting.AssertTableEqualsTopicsAsync("the sink goes on without Redis", archiver);
        await archiver.WaitForHealthAsync();
        await stores.Redis.ResumeAsync();
        await AssertHistoryAsync("refilled after an outage", [.. finals, correction, missed]);

        Aggregate Create(int windowsBack, long asOf, AggregateKind kind) =>
            Aggregates.Create(service, Aggregates.Values(random, 10), asOf, Aggregates.Start(WindowNames.OneMinute, windowsBack), kind: kind);

        string Key() => RedisKeys.History(service, finals[0].MetricName, WindowNames.OneMinute, "");

        Task AssertHistoryAsync(string phase, IReadOnlyList<Aggregate> aggregates) => Eventually.AssertAsync(phase, async () =>
        {
            archiver.ThrowIfEnded();
            using var redis = await stores.Redis.ConnectAsync();
            var members = await redis.GetDatabase().SortedSetRangeByRankWithScoresAsync(Key());
            var expected = ExpectedTable.Of(aggregates).OrderBy(r => r.Start).ToList();
            Assert.Equal(expected.Select(r => (double)r.Start), members.Select(m => m.Score));
            var values = members.Select(m => JsonSerializer.Deserialize((byte[])m.Element!, ContractsJson.Default.Aggregate)!).ToList();
            Assert.Equal(
                expected.Select(r => (r.Start, r.Count, r.Sum, r.P99, (long?)r.Revision, r.Sketch)),
                values.Select(v => (v.Start, v.Count, v.Sum, v.P99, v.Revision, Convert.ToHexString(v.Sketch!))));
        });
    }

    [Fact]
    public async Task The_script_keeps_the_newest_revision_of_a_start_and_drops_what_is_older_than_the_last_hour()
    {
        using var redis = await stores.Redis.ConnectAsync();
        var database = redis.GetDatabase();
        var key = $"history:{Guid.NewGuid():N}";
        Assert.Equal(1, await WriteAsync(start: 100, revision: 2, oldest: 0));
        Assert.Equal(0, await WriteAsync(start: 100, revision: 1, oldest: 0));
        Assert.Equal(0, await WriteAsync(start: 100, revision: 2, oldest: 0));
        Assert.Equal(1, await WriteAsync(start: 100, revision: 10, oldest: 0));
        Assert.Equal(1, await WriteAsync(start: 160, revision: 1, oldest: 0));
        Assert.Equal(["100/10", "160/1"], await MembersAsync());
        Assert.Equal(1, await WriteAsync(start: 220, revision: 1, oldest: 160));
        Assert.Equal(["160/1", "220/1"], await MembersAsync());

        async Task<int> WriteAsync(long start, long revision, long oldest) =>
            (int)await database.ScriptEvaluateAsync(History.HistoryScript.Text, [key], [start, revision, $$"""{"start":{{start}},"revision":{{revision}}}""", oldest, 3600]);

        async Task<IEnumerable<string>> MembersAsync() =>
            (await database.SortedSetRangeByRankAsync(key)).Select(m => JsonDocument.Parse((string)m!).RootElement).Select(e => $"{e.GetProperty("start")}/{e.GetProperty("revision")}");
    }
}
