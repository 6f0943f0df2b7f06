using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.IntegrationTests;

/// <summary>
/// What a user does on the first day: start everything, look at the API, wait a minute, compare with the generator's ledger, press Ctrl-C,
/// start again. Once on the embedded broker and once on three real ones; nothing but KAFKA_HOME differs.
/// </summary>
public abstract class WholeSystemTests
{
    const long Minute = 60_000;

    /// <summary>The folder of an Apache Kafka distribution, or null for the embedded broker.</summary>
    protected abstract string? KafkaHome { get; }

    protected async Task Events_reach_the_API_and_stored_windows_equal_the_ledger_across_a_restart()
    {
        using var data = new TempFolder("system");
        var offset = RunningSystem.FreePortOffset();
        long first, restartMinute;

        await using (var system = RunningSystem.Start(data.Path, offset, KafkaHome))
        {
            await system.WaitUntilHealthyAsync();
            await AssertServicesAreListed(system);
            await AssertLiveValuesChange(system);
            first = (await Eventually.ResultAsync("the ledger has windows", async () =>
                (await system.LedgerAsync(0, long.MaxValue)) is { Count: > 0 } windows ? windows : null)).Min(w => w.Start);
            await AssertStoredEqualsLedger(system, first, first + Minute);
            await AssertApiShowsFinalWindow(system, first);

            restartMinute = Now() / Minute * Minute;
            Assert.Equal(0, await system.InterruptAsync());
            await Eventually.EqualAsync("nothing is left behind", "", () => Task.FromResult(string.Join("\n", system.Processes())));
        }

        await using var again = RunningSystem.Start(data.Path, offset, KafkaHome);
        await again.WaitUntilHealthyAsync();
        // The minute of the restart has events of both runs, and everything before it is still there.
        await AssertStoredEqualsLedger(again, first, restartMinute + Minute);
        Assert.Equal(0, await again.InterruptAsync());
    }

    static async Task AssertServicesAreListed(RunningSystem system) => await Eventually.AssertAsync("services are listed", async () =>
    {
        var services = await system.QueryAsync("/api/v1/services");
        var ids = services.GetProperty("services").EnumerateArray().Select(s => s.GetProperty("serviceId").GetString()).ToList();
        Assert.Contains("payment-service", ids);
        // The query service reports its own requests, ours among them.
        Assert.Contains("streammetrics-query", ids);
    });

    static async Task AssertLiveValuesChange(RunningSystem system)
    {
        const string Current = "/api/v1/services/payment-service/metrics/api.request.duration/current?window=1m-10s";
        var before = await Eventually.ResultAsync("a live value is there", async () => (System.Text.Json.JsonElement?)await system.QueryAsync(Current));
        await Eventually.AssertAsync("the live value changes", async () =>
        {
            var now = await system.QueryAsync(Current);
            Assert.Equal("hot", now.GetProperty("source").GetString());
            Assert.NotEqual(before!.Value.GetProperty("asOfOffset").GetInt64(), now.GetProperty("asOfOffset").GetInt64());
        });
    }

    static Task AssertStoredEqualsLedger(RunningSystem system, long from, long to) =>
        system.AssertStoredEqualsLedgerAsync($"final windows of [{from}, {to}) equal the ledger", from, to, TimeSpan.FromMinutes(10));

    static async Task AssertApiShowsFinalWindow(RunningSystem system, long start) => await Eventually.AssertAsync("the API shows the final window", async () =>
    {
        var expected = (await system.LedgerAsync(start, start + Minute)).Single(w => w is { ServiceId: "payment-service", MetricName: "api.request.duration" });
        var series = await system.QueryAsync(
            $"/api/v1/services/payment-service/metrics/api.request.duration/series?window=1m&from={start}&to={start + Minute}");
        var point = series.GetProperty("series")[0].GetProperty("points")[0];
        Assert.Equal(expected.Count, point.GetProperty("count").GetInt64());
        Assert.Equal("final", point.GetProperty("kind").GetString());
    });

    static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
}

[Collection(nameof(WholeSystemOnTheEmbeddedBrokerTests))]
public sealed class WholeSystemOnTheEmbeddedBrokerTests : WholeSystemTests
{
    protected override string? KafkaHome => null;

    [Fact]
    public Task It_works() => Events_reach_the_API_and_stored_windows_equal_the_ledger_across_a_restart();
}

public sealed class WholeSystemOnRealKafkaTests : WholeSystemTests
{
    protected override string? KafkaHome => RealKafka.Home;

    [RealKafkaFact]
    public Task It_works() => Events_reach_the_API_and_stored_windows_equal_the_ledger_across_a_restart();
}
