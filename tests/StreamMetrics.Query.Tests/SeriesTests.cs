using System.Net;
using System.Text.Json;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Tests.Support;

namespace StreamMetrics.Query.Tests;

[Collection(ServersCollection.Name)]
public sealed class SeriesTests(Servers servers) : IAsyncLifetime
{
    const string Path = $"/api/v1/services/{Samples.Service}/metrics/{Samples.Metric}/series";
    const long Hour = 3_600_000;
    static readonly FixedClock Clock = new(new(2026, 2, 7, 12, 30, 30, TimeSpan.Zero));
    static readonly long Noon = Clock.NowMs - 1_830_000;
    QueryHost _query = null!;

    public async Task InitializeAsync()
    {
        await servers.Hot.ClearAsync();
        await servers.Cold.ClearAsync();
        _query = await QueryHost.StartAsync(servers, Clock);
    }

    public async Task DisposeAsync() => await _query.DisposeAsync();

    [Fact]
    public async Task Old_points_come_from_PostgreSQL_exactly_as_stored_and_ascending()
    {
        var stored = Enumerable.Range(0, 5).Select(m => Samples.Of("1m", Noon - (5 * Hour) + (m * 60_000), [m + 0.1, 2 * m, 50])).ToList();
        await servers.Cold.InsertAsync(stored.AsEnumerable().Reverse(), revision: 4);

        var answer = await _query.GetAsync($"{Path}?from={Noon - (5 * Hour)}&to={Noon - (4 * Hour)}&include=sketch");

        Assert.Equal("cold", answer.GetProperty("source").GetString());
        var points = Points(answer);
        Assert.Equal(stored.Select(s => s.Start), points.Select(p => p.GetProperty("start").GetInt64()));
        foreach (var (expected, actual) in stored.Zip(points))
        {
            Assert.Equal(expected.Sum, actual.GetProperty("sum").GetDouble());
            Assert.Equal(expected.P95, actual.GetProperty("p95").GetDouble());
            Assert.Equal(expected.Rate, actual.GetProperty("rate").GetDouble());
            Assert.Equal(expected.LastTime, actual.GetProperty("lastTime").GetInt64());
            Assert.Equal(expected.Sketch, actual.GetProperty("sketch").GetBytesFromBase64());
            Assert.Equal(4, actual.GetProperty("revision").GetInt64());
            Assert.True(actual.GetProperty("final").GetBoolean());
        }
    }

    [Fact]
    public async Task Sums_beyond_the_numbers_there_are_stay_numbers()
    {
        var start = Noon - (5 * Hour);
        await servers.Cold.InsertAsync(Enumerable.Range(0, 3).Select(m => Samples.Of("1m", start + (m * 60_000), [double.MaxValue], type: MetricTypes.Counter)));

        var minute = Points(await _query.GetAsync($"{Path}?from={start}&to={start + 60_000}"))[0];
        var hour = Points(await _query.GetAsync($"{Path}?step=1h&from={start}&to={start + Hour}"))[0];

        Assert.Equal((double.MaxValue, double.MaxValue / 60), (minute.GetProperty("sum").GetDouble(), minute.GetProperty("rate").GetDouble()));
        Assert.Equal((3L, double.MaxValue), (hour.GetProperty("count").GetInt64(), hour.GetProperty("sum").GetDouble()));
    }

    [Fact]
    public async Task The_last_hour_comes_from_Redis_alone_when_its_history_is_complete()
    {
        var start = Noon;
        for (var m = 0; m < 30; m++) await servers.Hot.HistoryAsync(Samples.Of("1m", start + (m * 60_000), [m + 1]), revision: 2);
        await servers.Hot.HistoryIsCompleteAsync();

        var answer = await _query.GetAsync($"{Path}?step=5m&from={Noon}");

        Assert.Equal("hot", answer.GetProperty("source").GetString());
        Assert.Equal([5L, 5L, 5L, 5L, 5L, 5L], Points(answer).Select(p => p.GetProperty("count").GetInt64()));
        Assert.Equal(1 + 2 + 3 + 4 + 5, Points(answer)[0].GetProperty("sum").GetDouble());
        Assert.Equal(10, Points(answer)[0].GetProperty("revision").GetInt64());
    }

    [Fact]
    public async Task The_hour_until_now_comes_from_Redis_alone_with_the_window_that_it_begins_in()
    {
        // It is 12:30:30; the archiver keeps what reaches into the hour.
        var begin = Noon - (30 * 60_000);
        for (var m = 0; m < 60; m++) await servers.Hot.HistoryAsync(Samples.Of("1m", begin + (m * 60_000), [m + 1]));
        for (var m = 0; m < 60; m += 5) await servers.Hot.HistoryAsync(Samples.Of("5m", begin + (m * 60_000), [1, 2, 3]));
        await servers.Hot.HistoryIsCompleteAsync();

        foreach (var (parameters, points) in new[] { ("?from=" + (begin + 30_000), 60), ("?window=5m&from=" + (begin + 30_000), 12) })
        {
            var answer = await _query.GetAsync(Path + parameters);
            Assert.Equal("hot", answer.GetProperty("source").GetString());
            Assert.Equal(points, Points(answer).Count);
            Assert.Equal(begin, Points(answer)[0].GetProperty("start").GetInt64());
        }

        // A point of twenty minutes that begins before the hour needs parts that Redis may not have any more.
        Assert.NotEqual("hot", (await _query.GetAsync($"{Path}?step=20m&from={begin}")).GetProperty("source").GetString());
    }

    [Fact]
    public async Task Without_the_mark_of_completeness_PostgreSQL_is_asked_too_and_the_newer_revision_counts()
    {
        var start = Noon;
        await servers.Hot.HistoryAsync(Samples.Of("1m", start, [1, 2, 3]), revision: 3);
        await servers.Hot.HistoryAsync(Samples.Of("1m", start + 60_000, [1]), revision: 1);
        await servers.Cold.InsertAsync([Samples.Of("1m", start, [1]), Samples.Of("1m", start + 60_000, [1, 2]), Samples.Of("1m", start + 120_000, [7])], revision: 2);

        var answer = await _query.GetAsync(Path);

        Assert.Equal("mixed", answer.GetProperty("source").GetString());
        Assert.Equal([3L, 2L, 1L], Points(answer).Select(p => p.GetProperty("count").GetInt64()));
    }

    [Fact]
    public async Task A_span_that_begins_before_the_last_hour_joins_both_stores()
    {
        var old = Noon - (2 * Hour);
        await servers.Cold.InsertAsync(Samples.Of("1m", old, [1]));
        await servers.Hot.HistoryAsync(Samples.Of("1m", Noon, [1, 2]));
        await servers.Hot.HistoryIsCompleteAsync();

        var answer = await _query.GetAsync($"{Path}?from={old}");

        Assert.Equal("mixed", answer.GetProperty("source").GetString());
        Assert.Equal(["cold", "hot"], Points(answer).Select(p => p.GetProperty("source").GetString()));
    }

    [Fact]
    public async Task A_longer_step_merges_its_windows_and_any_percentile_is_that_of_all_values()
    {
        var minutes = Enumerable.Range(0, 30).Select(m => Enumerable.Range(1, 20).Select(i => (double)(i * (m + 1))).ToArray()).ToList();
        for (var m = 0; m < 30; m++) await servers.Cold.InsertAsync(Samples.Of("1m", Noon - (5 * Hour) + (m * 60_000), minutes[m], errors: 1), revision: m == 3 ? 2 : 1);

        var answer = await _query.GetAsync($"{Path}?from={Noon - (5 * Hour)}&to={Noon - (4 * Hour)}&step=15m&percentiles=50,99.9,0,100&include=sketch");

        var points = Points(answer);
        Assert.Equal(2, points.Count);
        for (var p = 0; p < 2; p++)
        {
            var values = minutes.Skip(15 * p).Take(15).SelectMany(v => v).ToList();
            var expected = Samples.Sketch(values);
            Assert.Equal("15m", points[p].GetProperty("window").GetString());
            Assert.Equal(300, points[p].GetProperty("count").GetInt64());
            Assert.Equal(values.Sum(), points[p].GetProperty("sum").GetDouble(), 1e-9);
            Assert.Equal(values.Min(), points[p].GetProperty("min").GetDouble());
            Assert.Equal(values.Max(), points[p].GetProperty("max").GetDouble());
            Assert.Equal(15, points[p].GetProperty("errors").GetInt64());
            Assert.Equal(300 / 900.0, points[p].GetProperty("rate").GetDouble());
            Assert.Equal(expected.Quantile(0.99), points[p].GetProperty("p99").GetDouble());
            Assert.Equal(expected.Quantile(0.999), points[p].GetProperty("percentiles").GetProperty("99.9").GetDouble());
            Assert.Equal(expected.Quantile(1), points[p].GetProperty("percentiles").GetProperty("100").GetDouble());
            Assert.Equal(expected.ToArray(), points[p].GetProperty("sketch").GetBytesFromBase64());
            Assert.Equal(p == 0 ? 16 : 15, points[p].GetProperty("revision").GetInt64());
        }
    }

    [Fact]
    public async Task Larger_stored_windows_are_used_where_there_are_some_and_no_event_counts_twice()
    {
        var start = Noon - (5 * Hour);
        // the first 15 minutes are stored as one window too, the rest as minutes only
        await servers.Cold.InsertAsync(Samples.Of("15m", start, Enumerable.Repeat(1.0, 15).ToArray()));
        for (var m = 0; m < 30; m++) await servers.Cold.InsertAsync(Samples.Of("1m", start + (m * 60_000), [1]));

        var answer = await _query.GetAsync($"{Path}?window=15m&from={start}&to={start + Hour}");

        Assert.Equal([15L, 15L], Points(answer).Select(p => p.GetProperty("count").GetInt64()));
    }

    [Fact]
    public async Task Hours_and_days_come_from_their_roll_ups_and_from_smaller_windows_where_those_are_not_computed()
    {
        // noon is 12:00 of the 7th; the day before has a day and its hours, today has hours up to ten and 15 minutes up to eleven
        var today = Noon - (12 * Hour);
        var yesterday = today - (24 * Hour);
        await servers.Cold.InsertAsync(Samples.Of("1d", yesterday, Values(240)));
        for (var h = 0; h < 34; h++) await servers.Cold.InsertAsync(Samples.Of("1h", yesterday + (h * Hour), Values(10)));
        for (var q = 0; q < 35 * 4; q++) await servers.Cold.InsertAsync(Samples.Of("15m", yesterday + (q * Hour / 4), Values(3)));

        var days = await _query.GetAsync($"{Path}?window=1d&from={yesterday}&include=provisional");
        // 10 hours of the roll-ups, then 4 x 15 minutes
        Assert.Equal([240L, (10 * 10) + (4 * 3)], Points(days).Select(p => p.GetProperty("count").GetInt64()));

        // an input of 03:00 today and one of 05:00 yesterday changed
        await servers.Cold.StaleAsync("hourly", today + (3 * Hour));
        await servers.Cold.StaleAsync("hourly", yesterday + (5 * Hour));
        var hours = Points(await _query.GetAsync($"{Path}?window=1h&from={yesterday}"));
        Assert.Equal(35, hours.Count);
        Assert.Equal(
            Enumerable.Range(0, 35).Select(h => h is 5 or 27 or 34 ? 12L : 10L), hours.Select(p => p.GetProperty("count").GetInt64()));
        days = await _query.GetAsync($"{Path}?window=1d&from={yesterday}&include=provisional");
        Assert.Equal([(23L * 10) + 12, (9 * 10) + 12 + 12], Points(days).Select(p => p.GetProperty("count").GetInt64()));

        static double[] Values(int count) => [.. Enumerable.Range(1, count).Select(i => (double)i)];
    }

    [Fact]
    public async Task GroupBy_gives_one_series_for_each_value_merged_over_the_other_tags()
    {
        var start = Noon - (5 * Hour);
        await servers.Cold.InsertAsync([
            Samples.Of("1m", start, [1, 2], Samples.Tags(("endpoint", "/a"), ("method", "GET"))),
            Samples.Of("1m", start, [3, 4], Samples.Tags(("endpoint", "/a"), ("method", "POST"))),
            Samples.Of("1m", start, [5], Samples.Tags(("endpoint", "/b"), ("method", "GET"))),
            Samples.Of("1m", start, [6], Samples.Tags(("method", "GET"))),
            Samples.Of("1m", start, [1, 2, 3, 4, 5, 6])]);

        var answer = await _query.GetAsync($"{Path}?from={start}&to={start + Hour}&groupBy=endpoint&include=sketch");

        var series = answer.GetProperty("series").EnumerateArray().ToList();
        Assert.Equal(["{}", """{"endpoint":"/a"}""", """{"endpoint":"/b"}"""], series.Select(s => s.GetProperty("tags").GetRawText()));
        Assert.Equal([1L, 4L, 1L], series.Select(s => s.GetProperty("points")[0].GetProperty("count").GetInt64()));
        Assert.Equal(Samples.Sketch([1, 2, 3, 4]).ToArray(), series[1].GetProperty("points")[0].GetProperty("sketch").GetBytesFromBase64());

        var filtered = await _query.GetAsync($"{Path}?from={start}&to={start + Hour}&groupBy=endpoint,method&tags.method=GET");
        Assert.Equal(
            ["""{"method":"GET"}""", """{"method":"GET","endpoint":"/a"}""", """{"method":"GET","endpoint":"/b"}"""],
            filtered.GetProperty("series").EnumerateArray().Select(s => s.GetProperty("tags").GetRawText()));
    }

    [Fact]
    public async Task The_open_window_is_added_as_provisional_where_that_is_asked_for()
    {
        var now = Clock.NowMs - (Clock.NowMs % 60_000);
        await servers.Cold.InsertAsync(Samples.Of("1m", now - 60_000, [1]));
        await servers.Hot.LiveAsync(Samples.Of("1m", now, [2, 3], kind: AggregateKind.Provisional));

        var without = Points(await _query.GetAsync(Path));
        var with = Points(await _query.GetAsync(Path + "?include=provisional"));

        Assert.Equal(["final"], without.Select(p => p.GetProperty("kind").GetString()));
        Assert.Equal(["final", "provisional"], with.Select(p => p.GetProperty("kind").GetString()));
        Assert.Equal(2, with[1].GetProperty("count").GetInt64());
        Assert.Equal("hot", with[1].GetProperty("source").GetString());
    }

    [Fact]
    public async Task The_sliding_window_is_answered_from_Redis_only_and_only_for_the_last_hour()
    {
        var now = Clock.NowMs - (Clock.NowMs % 10_000);
        await servers.Hot.LiveAsync(Samples.Of("1m-10s", now - 50_000, [2, 3], kind: AggregateKind.Provisional));

        var points = Points(await _query.GetAsync(Path + "?window=1m-10s&include=provisional"));
        Assert.Equal(2, Assert.Single(points).GetProperty("count").GetInt64());
        Assert.Equal(60_000, points[0].GetProperty("end").GetInt64() - points[0].GetProperty("start").GetInt64());

        var (status, problem) = await _query.GetProblemAsync($"{Path}?window=1m-10s&from={Clock.NowMs - (2 * Hour)}");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        var error = Assert.Single(problem.GetProperty("errors").EnumerateArray());
        Assert.Equal("from", error.GetProperty("field").GetString());
        Assert.Contains("1h", error.GetProperty("rule").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_merged_step_that_is_still_open_is_no_final_point()
    {
        // 12:30:30: the step 12:00 to 13:00 has finals of 30 minutes
        for (var m = 0; m < 30; m++) await servers.Cold.InsertAsync(Samples.Of("1m", Noon + (m * 60_000), [1]));

        Assert.Empty((await _query.GetAsync(Path + "?step=1h")).GetProperty("series").EnumerateArray());
        var point = Assert.Single(Points(await _query.GetAsync(Path + "?step=1h&include=provisional")));
        Assert.Equal("provisional", point.GetProperty("kind").GetString());
        Assert.Equal(30, point.GetProperty("count").GetInt64());
    }

    [Fact]
    public async Task Too_much_to_read_or_to_answer_is_refused_with_the_limit()
    {
        await using var small = await QueryHost.StartAsync(servers, Clock, ("Query:MaxWindowsRead", "5"), ("Query:MaxSeries", "2"));
        var start = Noon - (5 * Hour);
        for (var m = 0; m < 6; m++) await servers.Cold.InsertAsync(Samples.Of("1m", start + (m * 60_000), [1]));
        foreach (var endpoint in (string[])["/a", "/b", "/c"]) await servers.Cold.InsertAsync(Samples.Of("1m", start, [1], Samples.Tags(("endpoint", endpoint))));

        var (_, windows) = await small.GetProblemAsync($"{Path}?from={start}&to={start + Hour}");
        var (_, series) = await small.GetProblemAsync($"{Path}?from={start}&to={start + Hour}&groupBy=endpoint");

        Assert.Contains("at most 5 stored windows", windows.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("at most 2 series", series.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    static List<JsonElement> Points(JsonElement answer)
    {
        var series = answer.GetProperty("series").EnumerateArray().ToList();
        return [.. Assert.Single(series).GetProperty("points").EnumerateArray()];
    }
}
