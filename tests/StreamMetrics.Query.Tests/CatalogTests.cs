using System.Net;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Tests.Support;

namespace StreamMetrics.Query.Tests;

[Collection(ServersCollection.Name)]
public sealed class CatalogTests(Servers servers) : IAsyncLifetime
{
    static readonly FixedClock Clock = new(new(2026, 2, 7, 12, 30, 30, TimeSpan.Zero));
    static readonly long Minute = Clock.NowMs - 30_000;
    QueryHost _query = null!;

    public async Task InitializeAsync()
    {
        await servers.Hot.ClearAsync();
        await servers.Cold.ClearAsync();
        _query = await QueryHost.StartAsync(servers, Clock);
    }

    public async Task DisposeAsync() => await _query.DisposeAsync();

    static Aggregate[] TwoServices() =>
    [
        Samples.Of("1m", Minute, [1], service: "b-service", metric: "m1") with { Catalog = Samples.Tags(("team", "payments")) },
        Samples.Of("1m", Minute, [2], service: "b-service", metric: "m2", type: MetricTypes.Counter),
        Samples.Of("1m", Minute, [1], Samples.Tags(("k", "1")), service: "b-service", metric: "m1"),
        Samples.Of("1m", Minute, [1], Samples.Tags(("k", "2")), service: "b-service", metric: "m1"),
        Samples.Of("1m", Minute, [3], service: "a-service", metric: "m1"),
    ];

    [Theory]
    [InlineData("hot")]
    [InlineData("cold")]
    public async Task Services_and_metrics_are_listed_with_their_numbers_from_either_store(string source)
    {
        if (source == "hot") await servers.Hot.LiveAsync(TwoServices());
        else await servers.Cold.InsertAsync(TwoServices());

        var services = await _query.GetAsync("/api/v1/services");
        Assert.Equal(source, services.GetProperty("source").GetString());
        Assert.Equal(
            [("a-service", Minute + 59_999, 1), ("b-service", Minute + 59_999, 2)],
            services.GetProperty("services").EnumerateArray()
                .Select(s => (s.GetProperty("serviceId").GetString()!, s.GetProperty("lastSeen").GetInt64(), s.GetProperty("metrics").GetInt32())));

        var metrics = await _query.GetAsync("/api/v1/services/b-service/metrics");
        Assert.Equal(
            [("m1", MetricTypes.HttpRequest, 2), ("m2", MetricTypes.Counter, 0)],
            metrics.GetProperty("metrics").EnumerateArray()
                .Select(m => (m.GetProperty("metricName").GetString()!, m.GetProperty("metricType").GetString()!, m.GetProperty("series").GetInt32())));

        var service = await _query.GetAsync("/api/v1/services/b-service");
        Assert.Equal(2, service.GetProperty("metrics").GetInt32());
        Assert.Equal("""{"team":"payments"}""", service.GetProperty("attributes").GetRawText());
        Assert.Equal("{}", (await _query.GetAsync("/api/v1/services/a-service")).GetProperty("attributes").GetRawText());
    }

    [Fact]
    public async Task One_service_is_described_without_reading_the_others()
    {
        await servers.Hot.LiveAsync(TwoServices());
        await servers.Hot.SpoilServiceAsync("a-service");

        var service = await _query.GetAsync("/api/v1/services/b-service");

        Assert.Equal("""{"team":"payments"}""", service.GetProperty("attributes").GetRawText());
        Assert.Equal((2, Minute + 59_999), (service.GetProperty("metrics").GetInt32(), service.GetProperty("lastSeen").GetInt64()));
    }

    [Theory]
    [InlineData("/api/v1/services/nobody")]
    [InlineData("/api/v1/services/nobody/metrics")]
    public async Task An_unknown_service_is_404(string path)
    {
        var (status, problem) = await _query.GetProblemAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Contains("nobody", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Top_orders_current_totals_and_leaves_out_what_stopped()
    {
        await servers.Hot.LiveAsync(
            Samples.Of("1m", Minute, [1, 1, 1, 1], service: "busy", kind: AggregateKind.Provisional),
            Samples.Of("1m", Minute, [900], service: "slow", kind: AggregateKind.Provisional, errors: 0),
            Samples.Of("1m", Minute, [5, 5], service: "broken", kind: AggregateKind.Provisional, errors: 2),
            Samples.Of("1m", Minute - 1_800_000, [10_000, 1, 1, 1, 1, 1], service: "gone", kind: AggregateKind.Provisional, errors: 6));

        Assert.Equal(["busy", "broken", "slow"], await TopAsync("by=rate"));
        Assert.Equal(["slow", "broken", "busy"], await TopAsync($"by=p99&metric={Samples.Metric}"));
        Assert.Equal(["broken"], await TopAsync("by=errors&limit=1"));
        Assert.Empty(await TopAsync("metric=no.such.metric"));
    }

    [Fact]
    public async Task Top_comes_from_PostgreSQL_when_Redis_is_away()
    {
        await using var query = await QueryHost.StartAsync(servers, Clock, ("ConnectionStrings:redis", "127.0.0.1:1"), ("Query:RequireStoresAtStart", "false"));
        await servers.Cold.InsertAsync(
        [
            Samples.Of("1m", Minute - 60_000, [1], service: "one"),
            Samples.Of("1m", Minute - 120_000, [1, 2, 3], service: "one"),
            Samples.Of("1m", Minute - 60_000, [1, 2], service: "two"),
        ]);

        var top = await query.GetAsync("/api/v1/top");

        Assert.Equal("cold", top.GetProperty("source").GetString());
        Assert.Equal(
            [("two", 2L), ("one", 1L)],
            top.GetProperty("items").EnumerateArray().Select(i => (i.GetProperty("serviceId").GetString()!, i.GetProperty("count").GetInt64())));
    }

    async Task<string[]> TopAsync(string parameters)
    {
        var answer = await _query.GetAsync("/api/v1/top?" + parameters);
        return [.. answer.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("serviceId").GetString()!)];
    }
}
