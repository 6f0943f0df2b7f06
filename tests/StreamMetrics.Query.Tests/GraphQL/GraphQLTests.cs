using System.Net;
using System.Text.Json;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests.GraphQL;

[Collection(ServersCollection.Name)]
public sealed class GraphQLTests(Servers servers) : IAsyncLifetime
{
    const string Numbers = "count sum avg min max p50 p95 p99 rate last lastTime errors maxRelativeError late start end revision final window serviceId metricName metricType unit";
    const string Path = $"/api/v1/services/{Samples.Service}/metrics/{Samples.Metric}";
    static readonly FixedClock Clock = new(new(2026, 2, 7, 12, 30, 30, TimeSpan.Zero));
    static readonly long Minute = Clock.NowMs - 30_000;
    QueryHost _query = null!;

    public async Task InitializeAsync()
    {
        await servers.Hot.ClearAsync();
        await servers.Cold.ClearAsync();
        var a = Samples.Tags(("endpoint", "/a"), ("method", "GET"));
        var b = Samples.Tags(("endpoint", "/b"), ("method", "GET"));
        await servers.Hot.LiveAsync(
            Samples.Of("1m", Minute, [1, 2, 30], kind: AggregateKind.Provisional) with { Catalog = Samples.Tags(("team", "payments")) },
            Samples.Of("1m", Minute, [1], a, AggregateKind.Provisional),
            Samples.Of("1m", Minute, [2, 30], b, AggregateKind.Provisional));
        for (var m = 1; m <= 10; m++)
        {
            var start = Minute - (m * 60_000);
            await servers.Cold.InsertAsync([Samples.Of("1m", start, [m, 5, 6], errors: 1), Samples.Of("1m", start, [m], a), Samples.Of("1m", start, [5, 6], b)]);
        }

        _query = await QueryHost.StartAsync(servers, Clock);
    }

    public async Task DisposeAsync() => await _query.DisposeAsync();

    [Fact]
    public async Task The_schema_is_the_one_that_is_checked_in()
    {
        var expected = await File.ReadAllTextAsync(RepositoryRoot.Combine("services", "StreamMetrics.Query", "GraphQL", "schema.graphql"));
        using var response = await _query.Http.GetAsync(new Uri("/graphql?sdl", UriKind.Relative));

        Assert.Equal(expected, await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_newest_value_is_that_of_rest_in_every_field()
    {
        var rest = await _query.GetAsync($"{Path}/current?include=sketch&tags.method=GET");
        var data = await _query.AskAsync($$"""
            { current(serviceId: "{{Samples.Service}}", metricName: "{{Samples.Metric}}", sketch: true, tags: { key: "method", value: "GET" }) {
              {{Numbers}} scope kind source sketch tags { key value } exemplar { traceId spanId value time } percentiles { percentile } } }
            """);

        var value = data.GetProperty("current");
        AssertNumbers(rest, value);
        Assert.Equal(33, value.GetProperty("sum").GetDouble());
        Assert.Equal("SERIES", value.GetProperty("scope").GetString());
        Assert.Equal("PROVISIONAL", value.GetProperty("kind").GetString());
        Assert.Equal("HOT", value.GetProperty("source").GetString());
        Assert.Equal(rest.GetProperty("sketch").GetString(), value.GetProperty("sketch").GetString());
        Assert.Equal("""[{"key":"method","value":"GET"}]""", value.GetProperty("tags").GetRawText());
        Assert.Equal(rest.GetProperty("exemplar").GetProperty("traceId").GetString(), value.GetProperty("exemplar").GetProperty("traceId").GetString());
        Assert.Equal(JsonValueKind.Null, value.GetProperty("exemplar").GetProperty("spanId").ValueKind);
        Assert.Empty(value.GetProperty("percentiles").EnumerateArray());
    }

    [Fact]
    public async Task Points_by_group_and_step_are_those_of_rest_sketches_byte_for_byte()
    {
        var from = Minute - 600_000;
        var rest = await _query.GetAsync($"{Path}/series?from={from}&to={Minute}&step=5m&groupBy=endpoint&percentiles=90,99.9&include=sketch");
        var data = await _query.AskAsync(
            $$"""
            query Points($service: String!, $percentiles: [Float!], $from: String) {
              series(serviceId: $service, metricName: "{{Samples.Metric}}", from: $from, to: "{{Minute}}", step: "5m", groupBy: ["endpoint"], percentiles: $percentiles, sketch: true) {
                from to step source incomplete
                series { tags { key value } points { {{Numbers}} sketch percentiles { percentile value } } }
              }
            }
            """,
            new { service = Samples.Service, percentiles = new[] { 90, 99.9 }, from = from.ToString(System.Globalization.CultureInfo.InvariantCulture) });

        var expected = rest.GetProperty("series").EnumerateArray().ToList();
        var actual = data.GetProperty("series").GetProperty("series").EnumerateArray().ToList();
        Assert.Equal(2, actual.Count);
        foreach (var (restSeries, series) in expected.Zip(actual))
        {
            Assert.Equal(restSeries.GetProperty("tags").GetProperty("endpoint").GetString(), series.GetProperty("tags")[0].GetProperty("value").GetString());
            Assert.Equal(restSeries.GetProperty("points").GetArrayLength(), series.GetProperty("points").GetArrayLength());
            foreach (var (restPoint, point) in restSeries.GetProperty("points").EnumerateArray().Zip(series.GetProperty("points").EnumerateArray()))
            {
                AssertNumbers(restPoint, point);
                Assert.Equal(restPoint.GetProperty("sketch").GetString(), point.GetProperty("sketch").GetString());
                Assert.Equal(
                    restPoint.GetProperty("percentiles").EnumerateObject().Select(p => (double.Parse(p.Name, System.Globalization.CultureInfo.InvariantCulture), p.Value.GetDouble())),
                    point.GetProperty("percentiles").EnumerateArray().Select(p => (p.GetProperty("percentile").GetDouble(), p.GetProperty("value").GetDouble())));
            }
        }

        Assert.Equal(rest.GetProperty("from").GetInt64(), data.GetProperty("series").GetProperty("from").GetInt64());
        Assert.Equal(JsonValueKind.Null, data.GetProperty("series").GetProperty("incomplete").ValueKind);
    }

    [Fact]
    public async Task Services_metrics_the_busiest_and_the_pipeline_are_those_of_rest()
    {
        var data = await _query.AskAsync($$"""
            { services { source services { serviceId lastSeen metrics attributes { key value } } }
              service(serviceId: "{{Samples.Service}}") { ...S }
              metrics(serviceId: "{{Samples.Service}}") { metrics { metricName metricType unit series lastSeen } }
              top(by: P99, metric: "{{Samples.Metric}}") { by window items { serviceId p99 } }
              pipeline { time eventsPerSecond lag partitions { partition lag owner } dependencies { name state } } }
            fragment S on Service { metrics lastSeen }
            """);

        // REST has attributes as an object, GraphQL as a list.
        Assert.Equal(
            (await _query.GetAsync("/api/v1/services")).GetProperty("services").GetRawText().Replace("{\"team\":\"payments\"}", """[{"key":"team","value":"payments"}]""", StringComparison.Ordinal),
            data.GetProperty("services").GetProperty("services").GetRawText());
        Assert.Equal("""{"metrics":1,"lastSeen":""" + data.GetProperty("services").GetProperty("services")[0].GetProperty("lastSeen").GetRawText() + "}", data.GetProperty("service").GetRawText());
        Assert.Equal(
            (await _query.GetAsync($"/api/v1/services/{Samples.Service}/metrics")).GetProperty("metrics").GetRawText(), data.GetProperty("metrics").GetProperty("metrics").GetRawText());
        var top = await _query.GetAsync($"/api/v1/top?by=p99&metric={Samples.Metric}");
        Assert.Equal(top.GetProperty("items")[0].GetProperty("p99").GetDouble(), data.GetProperty("top").GetProperty("items")[0].GetProperty("p99").GetDouble());
        var states = data.GetProperty("pipeline").GetProperty("dependencies").EnumerateArray().ToDictionary(d => d.GetProperty("name").GetString()!, d => d.GetProperty("state").GetString());
        Assert.Equal(["kafka", "postgresql", "redis"], states.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("current", "window: \"7m\"", "window", "7m", "1m-10s, 1m, 5m, 15m, 1h, 1d")]
    [InlineData("current", "tags: [{ key: \"a\", value: \"1\" }, { key: \"A\", value: \"2\" }]", "tags.a", "1,2", "once")]
    [InlineData("current", "tags: { key: \"\", value: \"1\" }", "tags.", "", "1 to 64")]
    [InlineData("series", "from: \"yesterday\"", "from", "yesterday", "ISO 8601")]
    [InlineData("series", "step: \"90s\"", "step", "90s", "multiple of 1m")]
    [InlineData("series", "percentiles: [50, 101]", "percentiles", "101", "0 to 100")]
    [InlineData("series", "percentiles: 1e-9", "percentiles", "1E-09", "0 to 100")]
    [InlineData("series", "groupBy: [\"a,b\"]", "groupBy", "a,b", "without commas")]
    [InlineData("series", "from: \"2001-01-01\"", "from", "2001-01-01", "1100 days")]
    [InlineData("series", "from: \"2026-01-01\", step: \"1m\"", "step", "1m", "11000 points")]
    public async Task A_wrong_argument_is_named_as_by_rest(string field, string arguments, string name, string value, string rule)
    {
        var type = field == "current" ? "start" : "step";
        var error = await _query.FailAsync($$"""{ {{field}}(serviceId: "{{Samples.Service}}", metricName: "{{Samples.Metric}}", {{arguments}}) { {{type}} } }""");

        Assert.Equal("INVALID_REQUEST", error.Code());
        Assert.Equal(field, Assert.Single(error.GetProperty("path").EnumerateArray()).GetString());
        var broken = Assert.Single(error.GetProperty("extensions").GetProperty("errors").EnumerateArray());
        Assert.Equal(name, broken.GetProperty("field").GetString());
        Assert.Equal(value, broken.GetProperty("value").GetString());
        Assert.Contains(rule, broken.GetProperty("rule").GetString(), StringComparison.Ordinal);
        Assert.Contains($"'{name}'", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_null_with_an_error_and_the_rest_is_answered()
    {
        var answer = await _query.PostAsync("""{ service(serviceId: "nobody") { metrics } services { services { serviceId } } }""");

        Assert.Equal("NOT_FOUND", Assert.Single(answer.GetProperty("errors").EnumerateArray()).Code());
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("data").GetProperty("service").ValueKind);
        Assert.Single(answer.GetProperty("data").GetProperty("services").GetProperty("services").EnumerateArray());
    }

    [Fact]
    public async Task Without_kafka_dead_letters_are_said_to_be_unavailable() =>
        Assert.Equal("STORE_UNAVAILABLE", (await _query.FailAsync("{ deadLetters { next } }")).Code());

    [Fact]
    public async Task Operations_that_cost_too_much_or_lie_too_deep_are_refused()
    {
        var question = $$"""current(serviceId: "{{Samples.Service}}", metricName: "{{Samples.Metric}}") { sum }""";
        string Questions(int count) => $"{{ {string.Join(' ', Enumerable.Range(0, count).Select(i => $"q{i}: {question}"))} }}";
        Assert.Equal(100, (await _query.AskAsync(Questions(100))).EnumerateObject().Count());
        var error = await _query.FailAsync(Questions(101));
        Assert.Equal("HC0047", error.Code());
        Assert.Equal(1010, error.GetProperty("extensions").GetProperty("fieldCost").GetDouble());
        Assert.Contains("1000", error.GetProperty("message").GetString(), StringComparison.Ordinal);

        await using var shallow = await QueryHost.StartAsync(servers, Clock, ("Query:MaxGraphQLDepth", "4"), ("Query:MaxGraphQLTypeCost", "2000"));
        var tags = $$"""{ series(serviceId: "{{Samples.Service}}", metricName: "{{Samples.Metric}}") { series { points { tags { key } } } } }""";
        string[] codes = [.. (await shallow.PostAsync(tags)).GetProperty("errors").EnumerateArray().Select(e => e.Code())];
        Assert.Equal(["HC0048", "HC0047"], codes);
        await shallow.AskAsync("{ __schema { types { fields { type { ofType { ofType { name } } } } } } }");
    }

    [Fact]
    public async Task Keys_and_rates_are_those_of_rest()
    {
        await using var closed = await QueryHost.StartAsync(servers, Clock, ("Query:ApiKeys:0", "0123456789abcdef"), ("Query:RequestsPerSecond", "1"));
        async Task<HttpStatusCode> GetAsync(string? key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/graphql?query={__typename}", UriKind.Relative));
            if (key is not null) request.Headers.Add("X-Api-Key", key);
            using var response = await closed.Http.SendAsync(request);
            return response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(null));
        Assert.Equal(HttpStatusCode.OK, await GetAsync("0123456789abcdef"));
        await Eventually.AssertAsync("who asks too often is told so", async () =>
            Assert.Contains(HttpStatusCode.TooManyRequests, await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => GetAsync("0123456789abcdef")))));
    }

    static void AssertNumbers(JsonElement rest, JsonElement value)
    {
        foreach (var name in Numbers.Split(' ')) Assert.Equal(rest.GetProperty(name).GetRawText(), value.GetProperty(name).GetRawText());
    }
}
