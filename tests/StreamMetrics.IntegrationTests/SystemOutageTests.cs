using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.IntegrationTests;

/// <summary>
/// The whole product under load while its stores are away for a minute each, and what the API says afterwards, compared with the generator's ledger
/// and with plain SQL. Shorter outages of single services are in those services' tests.
/// </summary>
public sealed class SystemOutageTests
{
    const long Minute = 60_000;
    const string Metric = "/api/v1/services/payment-service/metrics/api.request.duration";
    static readonly TimeSpan Outage = TimeSpan.FromMinutes(1);

    [Trait("Category", "Full")]
    [Fact]
    public async Task Outages_of_a_minute_lose_nothing_and_the_API_agrees_with_the_database()
    {
        using var data = new TempFolder("outage");
        await using var system = RunningSystem.Start(data.Path, RunningSystem.FreePortOffset(), kafkaHome: null);
        await system.WaitUntilHealthyAsync();
        var first = (await Eventually.ResultAsync("the ledger has windows", async () =>
            (await system.LedgerAsync(0, long.MaxValue)) is { Count: > 0 } windows ? windows : null)).Min(w => w.Start);
        await AssertStoredEqualsLedgerAsync("before any outage", system, first, first + Minute);

        await system.StopPostgresAsync();
        await DuringAsync(async () => Assert.Equal("hot", (await system.QueryAsync($"{Metric}/current?window=1m")).GetProperty("source").GetString()));
        await using var postgres = system.StartPostgres();
        await AssertStoredEqualsLedgerAsync("after PostgreSQL was away", system, first, Now() / Minute * Minute);

        await system.StopRedisAsync();
        await DuringAsync(async () =>
        {
            Assert.Equal("cold", (await system.QueryAsync($"{Metric}/current?window=1m")).GetProperty("source").GetString());
            Assert.Equal("cold", (await system.QueryAsync($"{Metric}/series?window=1m")).GetProperty("source").GetString());
        });
        await using var redis = system.StartRedis();
        await Eventually.AssertAsync("live values return", async () =>
        {
            var live = await system.QueryAsync($"{Metric}/current?window=1m-10s");
            Assert.Equal("hot", live.GetProperty("source").GetString());
            Assert.InRange(live.GetProperty("asOf").GetInt64(), Now() - 10_000, Now());
        });
        await Eventually.AssertAsync("the last hour is in Redis again", async () =>
            Assert.Equal("hot", (await system.QueryAsync($"{Metric}/series?window=1m")).GetProperty("source").GetString()));
        await AssertStoredEqualsLedgerAsync("after Redis was away", system, first, Now() / Minute * Minute);

        await using (var agreement = new Agreement(system.QueryAddress, system.Database))
        {
            Assert.Equal(200, await agreement.CheckWindowsAsync(200));
            Assert.True(await agreement.CheckGroupsAsync(20) > 0);
        }

        await system.InterruptAsync();
    }

    // A first moment to notice, then every answer counts.
    static async Task DuringAsync(Func<Task> check)
    {
        var started = TimeProvider.System.GetTimestamp();
        await Eventually.AssertAsync("the other store answers", check);
        while (TimeProvider.System.GetElapsedTime(started) < Outage)
        {
            await check();
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        }
    }

    static Task AssertStoredEqualsLedgerAsync(string phase, RunningSystem system, long from, long to) =>
        system.AssertStoredEqualsLedgerAsync($"{phase}: final windows of [{from}, {to}) equal the ledger", from, to, TimeSpan.FromMinutes(4));

    static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
}
