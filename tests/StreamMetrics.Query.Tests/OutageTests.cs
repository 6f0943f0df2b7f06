using System.Net;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests;

/// <summary>Servers of its own, since it stops them.</summary>
public sealed class OutageTests : IAsyncLifetime
{
    const string Metric = $"/api/v1/services/{Samples.Service}/metrics/{Samples.Metric}";
    readonly Servers _servers = new();
    readonly FixedClock _clock = new(new(2026, 2, 7, 12, 30, 30, TimeSpan.Zero), goesOn: true);
    QueryHost _query = null!;

    public async Task InitializeAsync()
    {
        await _servers.InitializeAsync();
        var minute = new DateTimeOffset(2026, 2, 7, 12, 30, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        await _servers.Hot.LiveAsync(Samples.Of("1m", minute, [1, 2, 3], kind: AggregateKind.Provisional));
        await _servers.Hot.HistoryAsync(Samples.Of("1m", minute - 60_000, [1, 2]));
        await _servers.Hot.HistoryIsCompleteAsync();
        await _servers.Cold.InsertAsync([Samples.Of("1m", minute - 60_000, [1, 2]), Samples.Of("1m", minute - 7_200_000, [1])]);
        _query = await QueryHost.StartAsync(_servers, _clock, ("Query:HotTimeout", "00:00:03"));
    }

    public async Task DisposeAsync()
    {
        await _query.DisposeAsync();
        await _servers.DisposeAsync();
    }

    [Fact]
    public async Task Each_store_answers_for_the_other_and_live_values_return_by_themselves()
    {
        Assert.Equal("hot", await SourceAsync("/current"));
        Assert.Equal("hot", await SourceAsync("/series?from=" + (_clock.NowMs - 600_000)));

        _servers.Redis.Freeze();
        Assert.Equal("cold", await SourceAsync("/current"));
        Assert.Equal("cold", await SourceAsync("/series?from=" + (_clock.NowMs - 600_000)));
        Assert.Equal("cold", (await _query.GetAsync("/api/v1/services")).GetProperty("source").GetString());
        Assert.Equal(HttpStatusCode.OK, await HealthAsync());
        var (status, problem) = await _query.GetProblemAsync(Metric + "/current?window=1m-10s");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("Redis", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        _servers.Redis.Thaw();
        await Eventually.EqualAsync("Redis answers again", "hot", () => SourceAsync("/current"));

        await _servers.Postgres.StopAsync();
        Assert.Equal("hot", await SourceAsync("/current"));
        var partial = await _query.GetAsync($"{Metric}/series?from={_clock.NowMs - 10_800_000}");
        Assert.Contains("PostgreSQL", partial.GetProperty("incomplete").GetString(), StringComparison.Ordinal);
        Assert.Equal("hot", partial.GetProperty("source").GetString());

        await _servers.Redis.KillAsync();
        foreach (var path in (string[])["/api/v1/services", "/api/v1/top", Metric + "/current", Metric + "/series", Metric + "/current?window=1h"])
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _query.GetProblemAsync(path)).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await HealthAsync());
        Assert.Equal(HttpStatusCode.OK, (await _query.Http.GetAsync(new Uri("/alive", UriKind.Relative))).StatusCode);

        await _servers.Postgres.ResumeAsync();
        await Eventually.EqualAsync("PostgreSQL answers again", "cold", () => SourceAsync("/current"));
        await Eventually.EqualAsync("the pipeline's state shows it", "down up", async () =>
        {
            var dependencies = (await _query.GetAsync("/api/v1/pipeline")).GetProperty("dependencies");
            return $"{dependencies.GetProperty("redis").GetString()} {dependencies.GetProperty("postgresql").GetString()}";
        });
    }

    async Task<string?> SourceAsync(string path) => (await _query.GetAsync(Metric + path)).GetProperty("source").GetString();

    async Task<HttpStatusCode> HealthAsync() => (await _query.Http.GetAsync(new Uri("/health", UriKind.Relative))).StatusCode;
}
