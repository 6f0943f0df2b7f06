using System.Net;
using FsCheck.Fluent;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Tests.Support;

namespace StreamMetrics.Query.Tests;

[Collection(ServersCollection.Name)]
public sealed class ParameterTests(Servers servers) : IAsyncLifetime
{
    const string Series = $"/api/v1/services/{Samples.Service}/metrics/{Samples.Metric}/series";
    const string Current = $"/api/v1/services/{Samples.Service}/metrics/{Samples.Metric}/current";
    static readonly FixedClock Clock = new(new(2026, 2, 7, 12, 30, 30, TimeSpan.Zero));
    QueryHost _query = null!;

    public async Task InitializeAsync()
    {
        await servers.Hot.ClearAsync();
        await servers.Cold.ClearAsync();
        var minute = Clock.NowMs - 30_000;
        await servers.Hot.LiveAsync(
            Samples.Of("1m", minute, [1, 2], kind: AggregateKind.Provisional),
            Samples.Of("1m", minute, [1, 2], Samples.Tags(("endpoint", "/a")), AggregateKind.Provisional));
        await servers.Cold.InsertAsync([Samples.Of("1m", minute - 60_000, [3]), Samples.Of("1m", minute - 60_000, [3], Samples.Tags(("endpoint", "/a")))]);
        _query = await QueryHost.StartAsync(servers, Clock);
    }

    public async Task DisposeAsync() => await _query.DisposeAsync();

    [Theory]
    [InlineData(Series + "?window=7m", "window", "7m", "1m-10s, 1m, 5m, 15m, 1h, 1d")]
    [InlineData(Series + "?window=1m&window=5m", "window", "1m,5m", "once")]
    [InlineData(Series + "?windw=5m", "windw", "5m", "there are window")]
    [InlineData(Series + "?from=yesterday", "from", "yesterday", "ISO 8601")]
    [InlineData(Series + "?from=-5", "from", "-5", "from 1970 to 2199")]
    [InlineData(Series + "?from=99999999999999999999", "from", "99999999999999999999", "ISO 8601")]
    [InlineData(Series + "?to=9999-12-31T00:00:00Z", "to", "9999-12-31T00:00:00Z", "2199")]
    [InlineData(Series + "?from=2026-02-07T12:00:00Z&to=2026-02-07T11:00:00Z", "from", "2026-02-07T12:00:00Z", "before 'to'")]
    [InlineData(Series + "?from=2001-01-01", "from", "2001-01-01", "1100 days")]
    [InlineData(Series + "?from=2026-01-01&step=1m", "step", "1m", "11000 points")]
    [InlineData(Series + "?step=90s", "step", "90s", "multiple of 1m")]
    [InlineData(Series + "?step=0", "step", "0", "positive")]
    [InlineData(Series + "?step=99999999999999999999d", "step", "99999999999999999999d", "positive")]
    [InlineData(Series + "?window=5m&step=7m", "step", "7m", "multiple of 5m")]
    [InlineData(Series + "?percentiles=50,101", "percentiles", "101", "0 to 100")]
    [InlineData(Series + "?percentiles=NaN", "percentiles", "NaN", "0 to 100")]
    [InlineData(Series + "?percentiles=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21", "percentiles", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21", "at most 20")]
    [InlineData(Series + "?groupBy=a,,b", "groupBy", "", "1 to 64")]
    [InlineData(Series + "?groupBy=a,b,c,d,e,f,g,h,i", "groupBy", "a,b,c,d,e,f,g,h,i", "at most 8")]
    [InlineData(Series + "?include=everything", "include", "everything", "provisional, sketch")]
    [InlineData(Series + "?tags.=x", "tags.", "", "1 to 64")]
    [InlineData(Series + "?tags.a=%00", "tags.a", "\0", "U+0000")]
    [InlineData(Current + "?step=1m", "step", "1m", "there are window, include, tags.*")]
    [InlineData(Current + "?include=provisional", "include", "provisional", "sketch")]
    [InlineData("/api/v1/services/bad%20name/metrics", "serviceId", "bad name", "1 to 100")]
    [InlineData("/api/v1/services/s/metrics/bad:name/current", "metricName", "bad:name", "1 to 200")]
    [InlineData("/api/v1/services?x=1", "x", "1", "there is none")]
    [InlineData("/api/v1/top?by=size", "by", "size", "p99, rate, errors")]
    [InlineData("/api/v1/top?by=p99", "metric", null, "by=p99")]
    [InlineData("/api/v1/top?limit=0", "limit", "0", "1 to 500")]
    [InlineData("/api/v1/top?limit=many", "limit", "many", "1 to 500")]
    [InlineData("/api/v1/top?window=1h", "window", "1h", "15m here")]
    [InlineData("/api/v1/top?metric=%27%3B", "metric", "';", "1 to 200")]
    [InlineData("/api/v1/dead-letters?topic=all", "topic", "all", "dead-letter, late")]
    [InlineData("/api/v1/dead-letters?reason=%00", "reason", "\0", "a-z and -")]
    [InlineData("/api/v1/dead-letters?limit=201", "limit", "201", "1 to 200")]
    [InlineData("/api/v1/dead-letters?before=1-2", "before", "1-2", "'next'")]
    [InlineData("/api/v1/dead-letters?from=2&to=1", "from", "2", "before 'to'")]
    [InlineData("/api/v1/stream?serviceId=s", "metricName", null, "1 to 200")]
    [InlineData("/api/v1/pipeline?verbose", "verbose", "", "there is none")]
    public async Task A_wrong_parameter_is_named_with_its_value_and_the_rule(string path, string field, string? value, string rule)
    {
        var (status, problem) = await _query.GetProblemAsync(path);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        var error = Assert.Single(problem.GetProperty("errors").EnumerateArray());
        Assert.Equal(field, error.GetProperty("field").GetString());
        Assert.Equal(value, error.TryGetProperty("value", out var given) ? given.GetString() : null);
        Assert.Contains(rule, error.GetProperty("rule").GetString(), StringComparison.Ordinal);
        Assert.Contains($"'{field}'", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(400, problem.GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task Every_wrong_parameter_is_named_at_once()
    {
        var (_, problem) = await _query.GetProblemAsync(Series + "?window=x&from=x&step=x&percentiles=x&nothing=x");

        Assert.Equal(
            ["from", "nothing", "percentiles", "step", "window"],
            problem.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("field").GetString()).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/nowhere", HttpStatusCode.NotFound)]
    [InlineData("/api/v1/nowhere", HttpStatusCode.NotFound)]
    public async Task What_is_not_there_is_a_problem_document_too(string path, HttpStatusCode expected) =>
        Assert.Equal(expected, (await _query.GetProblemAsync(path)).Status);

    [Fact]
    public async Task Random_parameters_at_any_endpoint_are_answered_or_refused_with_the_field_and_never_break_the_service()
    {
        var endpoints = (await DocumentedAsync()).Select(e => (e.Method, e.Path)).ToList();
        string[] names =
        [
            "window", "from", "to", "step", "groupBy", "percentiles", "include", "metric", "by", "limit", "topic", "reason", "before", "serviceId", "tags.endpoint", "tags.", "tags.\"'", "tags", "x", "",
        ];
        string[] values =
        [
            "", "1m", "5m", "1m-10s", "1h", "1d", "0", "-1", "1", "60000", "9223372036854775807", "-9223372036854775808", "1e308", "NaN", "2026-02-07T12:00:00Z",
            "2026-02-07", "0001-01-01", "9999-12-31T23:59:59Z", "12:00", "endpoint", "endpoint,method", "50,99.9", "sketch,provisional", "p99", "rate", "'; DROP TABLE x;--",
            "\0", "\ud83d\ude00", "%", "../..", "{\"a\":1}", new string('x', 1_000),
        ];
        var arbitrary = ArbMap.Default.GeneratorFor<string>().Select(s => s ?? "");
        var value = Gen.OneOf(Gen.Elements(values), Gen.Elements(values), arbitrary);
        var pair = from name in Gen.Frequency((9, Gen.Elements(names)), (1, arbitrary)) from v in value select $"{Escape(name)}={Escape(v)}";
        var path =
            from endpoint in Gen.Elements(endpoints.ToArray())
            from mutated in Gen.Frequency((4, Gen.Constant(endpoint.Path)), (1, arbitrary.Select(s => endpoint.Path.Replace(Samples.Service, Escape(s), StringComparison.Ordinal))))
            from pairs in pair.ListOf().Resize(4)
            select (endpoint.Method, Path: mutated + (pairs.Count == 0 ? "" : "?" + string.Join('&', pairs)));

        var answered = 0;
        var refused = 0;
        foreach (var request in path.Sample(1_500, 30))
        {
            using var message = new HttpRequestMessage(request.Method, new Uri(request.Path, UriKind.Relative));
            using var response = await _query.Http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
            // A stream goes on for ever: that it was opened is the answer.
            var body = response.Content.Headers.ContentType?.MediaType == "text/event-stream" ? "" : await response.Content.ReadAsStringAsync();
            Assert.True(
                response.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound || (response.StatusCode == HttpStatusCode.ServiceUnavailable && body.Contains("Kafka is not available", StringComparison.Ordinal)) || (response.StatusCode == HttpStatusCode.BadRequest && (body.Length == 0 || body.Contains("\"errors\":[{\"field\":", StringComparison.Ordinal))),
                $"{(int)response.StatusCode} {body} of {request.Method} {request.Path}");
            if (response.IsSuccessStatusCode) answered++;
            if (response.StatusCode == HttpStatusCode.BadRequest) refused++;
        }

        // both kinds must have been among them, or the generator tests nothing
        Assert.True(answered > 20 && refused > 100, $"{answered} answered, {refused} refused");
    }

    [Fact]
    public async Task Every_documented_parameter_of_every_endpoint_is_checked_and_no_endpoint_takes_another()
    {
        var endpoints = await DocumentedAsync();
        foreach (var (method, path, parameters) in endpoints)
        {
            foreach (var parameter in parameters)
            {
                var name = parameter == "tags" ? "tags.k" : parameter;
                await AssertNamesAsync(method, $"{path}?{name}=%00", name);
                await AssertNamesAsync(method, $"{path}?{name}=1m&{name}=5m", name);
            }

            await AssertNamesAsync(method, $"{path}?nonsense=1", "nonsense");
        }

        await AssertNamesAsync(HttpMethod.Post, "/api/v1/dead-letters/x/1/replay", "partition");
        await AssertNamesAsync(HttpMethod.Post, "/api/v1/dead-letters/0/-1/replay", "offset");
        foreach (var (method, path, _) in endpoints.Where(e => e.Path.Contains(Samples.Service, StringComparison.Ordinal)))
            await AssertNamesAsync(method, path.Replace(Samples.Service, "bad%20name", StringComparison.Ordinal), "serviceId");
        foreach (var (method, path, _) in endpoints.Where(e => e.Path.Contains(Samples.Metric, StringComparison.Ordinal)))
            await AssertNamesAsync(method, path.Replace(Samples.Metric, "bad%20name", StringComparison.Ordinal), "metricName");
    }

    async Task AssertNamesAsync(HttpMethod method, string path, string field)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        using var response = await _query.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{method} {path}: {(int)response.StatusCode}");
        var problem = System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.True(
            problem.GetProperty("errors").EnumerateArray().Any(e => e.GetProperty("field").GetString() == field && e.GetProperty("rule").GetString() is { Length: > 0 }),
            $"{method} {path}: {problem}");
    }

    /// <summary>Every endpoint of the OpenAPI document, with the sample's names in its path, and its query parameters.</summary>
    async Task<List<(HttpMethod Method, string Path, List<string> Parameters)>> DocumentedAsync()
    {
        var document = await _query.GetAsync("/openapi/v1.json");
        var endpoints = new List<(HttpMethod, string, List<string>)>();
        foreach (var path in document.GetProperty("paths").EnumerateObject().Where(p => p.Name.StartsWith("/api/", StringComparison.Ordinal)))
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var concrete = path.Name.Replace("{serviceId}", Samples.Service, StringComparison.Ordinal).Replace("{metricName}", Samples.Metric, StringComparison.Ordinal)
                    .Replace("{partition}", "0", StringComparison.Ordinal).Replace("{offset}", "1", StringComparison.Ordinal).TrimEnd('/');
                Assert.DoesNotContain("{", concrete, StringComparison.Ordinal);
                var parameters = operation.Value.TryGetProperty("parameters", out var list)
                    ? list.EnumerateArray().Where(p => p.GetProperty("in").GetString() == "query").Select(p => p.GetProperty("name").GetString()!).ToList() : [];
                endpoints.Add((new HttpMethod(operation.Name.ToUpperInvariant()), concrete, parameters));
            }
        }

        Assert.True(endpoints.Count >= 10, $"{endpoints.Count} endpoints are documented.");
        return endpoints;
    }

    static string Escape(string text)
    {
        // a lone surrogate has no form in UTF-8, so it cannot be sent
        var sendable = string.Concat(text.EnumerateRunes());
        return Uri.EscapeDataString(sendable);
    }
}
