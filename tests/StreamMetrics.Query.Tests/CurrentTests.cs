using System.Net;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Tests.Support;

namespace StreamMetrics.Query.Tests;

[Collection(ServersCollection.Name)]
public sealed class CurrentTests(Servers servers) : IAsyncLifetime
{
    const string Path = $"/api/v1/services/{Samples.Service}/metrics/{Samples.Metric}/current";
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

    [Fact]
    public async Task The_live_value_comes_from_Redis_with_every_figure_as_it_stands_there()
    {
        var live = Samples.Of("1m", Minute, [10, 20, 30.5], kind: AggregateKind.Provisional, errors: 2, offset: 77);
        await servers.Hot.LiveAsync(live);

        var answer = await _query.GetAsync(Path);

        Assert.Equal("hot", answer.GetProperty("source").GetString());
        Assert.Equal("provisional", answer.GetProperty("kind").GetString());
        Assert.False(answer.GetProperty("final").GetBoolean());
        Assert.Equal(0, answer.GetProperty("revision").GetInt64());
        Assert.Equal("total", answer.GetProperty("scope").GetString());
        Assert.Equal(3, answer.GetProperty("count").GetInt64());
        Assert.Equal(60.5, answer.GetProperty("sum").GetDouble());
        Assert.Equal(live.Avg, answer.GetProperty("avg").GetDouble());
        Assert.Equal(live.P99, answer.GetProperty("p99").GetDouble());
        Assert.Equal(live.MaxRelativeError, answer.GetProperty("maxRelativeError").GetDouble());
        Assert.Equal(2, answer.GetProperty("errors").GetInt64());
        Assert.Equal(2, answer.GetProperty("partition").GetInt32());
        Assert.Equal(77, answer.GetProperty("asOfOffset").GetInt64());
        Assert.Equal(Minute, answer.GetProperty("start").GetInt64());
        Assert.Equal(Minute + 60_000, answer.GetProperty("end").GetInt64());
        Assert.Equal("trace-30.5", answer.GetProperty("exemplar").GetProperty("traceId").GetString());
        Assert.False(answer.TryGetProperty("sketch", out _));
    }

    [Fact]
    public async Task Include_sketch_adds_the_stored_bytes()
    {
        var live = Samples.Of("1m", Minute, [1, 2, 3], kind: AggregateKind.Provisional);
        await servers.Hot.LiveAsync(live);

        var answer = await _query.GetAsync(Path + "?include=sketch");

        Assert.Equal(live.Sketch, answer.GetProperty("sketch").GetBytesFromBase64());
    }

    [Fact]
    public async Task A_tag_filter_merges_the_live_values_of_the_series_that_have_the_tag()
    {
        await servers.Hot.LiveAsync(
            Samples.Of("1m", Minute, [1, 2], Samples.Tags(("endpoint", "/a"), ("method", "GET")), AggregateKind.Provisional),
            Samples.Of("1m", Minute, [3, 400], Samples.Tags(("endpoint", "/a"), ("method", "POST")), AggregateKind.Provisional),
            Samples.Of("1m", Minute, [9_999], Samples.Tags(("endpoint", "/b"), ("method", "GET")), AggregateKind.Provisional),
            // of the minute before: no part of the current value
            Samples.Of("1m", Minute - 60_000, [7], Samples.Tags(("endpoint", "/a"), ("method", "PUT")), AggregateKind.Provisional));

        var answer = await _query.GetAsync(Path + "?tags.endpoint=/a&include=sketch");

        Assert.Equal(4, answer.GetProperty("count").GetInt64());
        Assert.Equal(406, answer.GetProperty("sum").GetDouble());
        Assert.Equal(400, answer.GetProperty("max").GetDouble());
        Assert.Equal("series", answer.GetProperty("scope").GetString());
        Assert.Equal("""{"endpoint":"/a"}""", answer.GetProperty("tags").GetRawText());
        Assert.Equal(Samples.Sketch([1, 2, 3, 400]).ToArray(), answer.GetProperty("sketch").GetBytesFromBase64());
    }

    [Fact]
    public async Task A_window_that_became_final_replaces_its_provisional_value()
    {
        await servers.Hot.LiveAsync(Samples.Of("1m", Minute - 60_000, [1], kind: AggregateKind.Provisional));
        await servers.Hot.HistoryAsync(Samples.Of("1m", Minute - 60_000, [1, 2]), revision: 3);

        var answer = await _query.GetAsync(Path);

        Assert.True(answer.GetProperty("final").GetBoolean());
        Assert.Equal(3, answer.GetProperty("revision").GetInt64());
        Assert.Equal(2, answer.GetProperty("count").GetInt64());
    }

    [Fact]
    public async Task What_Redis_does_not_have_comes_from_the_newest_final_window_in_PostgreSQL()
    {
        await servers.Cold.InsertAsync([Samples.Of("1m", Minute - 7_200_000, [1]), Samples.Of("1m", Minute - 7_140_000, [1, 2, 3])], revision: 2);

        var answer = await _query.GetAsync(Path);

        Assert.Equal("cold", answer.GetProperty("source").GetString());
        Assert.True(answer.GetProperty("final").GetBoolean());
        Assert.Equal(2, answer.GetProperty("revision").GetInt64());
        Assert.Equal(3, answer.GetProperty("count").GetInt64());
        Assert.False(answer.TryGetProperty("partition", out _));
    }

    [Fact]
    public async Task An_hour_is_put_together_from_its_final_minutes_and_the_open_one()
    {
        var hour = Minute - (Minute % 3_600_000);
        for (var m = 0; m < 30; m++) await servers.Cold.InsertAsync(Samples.Of("1m", hour + (m * 60_000), [m, 100]));
        await servers.Hot.LiveAsync(Samples.Of("1m", Minute, [5_000], kind: AggregateKind.Provisional));

        var answer = await _query.GetAsync(Path + "?window=1h");

        Assert.Equal(61, answer.GetProperty("count").GetInt64());
        Assert.Equal(5_000, answer.GetProperty("max").GetDouble());
        Assert.Equal("provisional", answer.GetProperty("kind").GetString());
        Assert.Equal("mixed", answer.GetProperty("source").GetString());
        Assert.Equal(hour, answer.GetProperty("start").GetInt64());
        Assert.Equal(hour + 3_600_000, answer.GetProperty("end").GetInt64());
    }

    [Theory]
    [InlineData("")]
    [InlineData("?window=1m-10s")]
    [InlineData("?window=1d")]
    [InlineData("?tags.endpoint=/nowhere")]
    public async Task What_no_store_has_is_404(string query)
    {
        var (status, problem) = await _query.GetProblemAsync(Path + query);

        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Contains(Samples.Metric, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_metric_name_with_a_slash_is_found_by_its_escaped_form()
    {
        await servers.Hot.LiveAsync(Samples.Of("1m", Minute, [4], kind: AggregateKind.Provisional, metric: "disk/read"));

        var answer = await _query.GetAsync($"/api/v1/services/{Samples.Service}/metrics/disk%2Fread/current");

        Assert.Equal("disk/read", answer.GetProperty("metricName").GetString());
    }

    [Fact]
    public async Task A_damaged_value_in_Redis_is_no_answer_but_a_reason_to_ask_PostgreSQL()
    {
        var live = Samples.Of("1m", Minute, [1], kind: AggregateKind.Provisional);
        await servers.Hot.LiveAsync(live);
        await servers.Hot.SetFieldAsync(live, "count", "many");
        await servers.Cold.InsertAsync(Samples.Of("1m", Minute - 60_000, [1, 2]));

        var answer = await _query.GetAsync(Path);

        Assert.Equal("cold", answer.GetProperty("source").GetString());
        Assert.Equal(2, answer.GetProperty("count").GetInt64());
    }
}
