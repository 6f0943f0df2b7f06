using System.Net;
using System.Text;
using System.Text.Json;
using FsCheck.Fluent;
using StreamMetrics.Query.Tests.Support;

namespace StreamMetrics.Query.Tests.GraphQL;

/// <summary>Requests of any kind to the running service: each is answered or refused, and never with a 500 or an unexpected error.</summary>
[Collection(ServersCollection.Name)]
public sealed class RandomRequestTests(Servers servers)
{
    static readonly string[] Values =
    [
        "", "1m", "5m", "1m-10s", "1h", "0", "-1", "9223372036854775807", "NaN", "2026-02-07T12:00:00Z", "0001-01-01", "9999-12-31T23:59:59Z", "endpoint", "a,b", "late", "p99",
        "'; DROP TABLE x;--", "\\u0000", "\\ud83d\\ude00", "\\ud83d", "%", new string('x', 500), Samples.Service, Samples.Metric,
    ];

    static readonly string[] Bodies =
    [
        "", "{", "null", "[]", "\"x\"", "{\"query\":1}", "{\"query\":\"{\"}", "{\"query\":\"{__typename}\",\"variables\":[]}", "{\"query\":\"{__typename}\",\"extensions\":1}",
        "{\"query\":\"subscription{aggregates(serviceId:\\\"\\\",metricName:\\\"\\\"){sum}}\"}", "{\"query\":\"\\ud800\"}", "{\"query\":\"{__typename}\",\"operationName\":\"x\"}",
    ];

    static readonly string[] Accepts = ["*/*", "application/json", "application/graphql-response+json", "text/event-stream", "text/html", "x"];

    [Fact]
    public async Task Random_requests_never_break_the_service()
    {
        await servers.Hot.ClearAsync();
        await servers.Cold.ClearAsync();
        var clock = new FixedClock(new(2026, 2, 7, 12, 30, 30, TimeSpan.Zero));
        await servers.Hot.LiveAsync(Samples.Of("1m", clock.NowMs - 30_000, [1, 2]));
        await using var query = await QueryHost.StartAsync(servers, clock, ("Query:RequestsPerSecond", "0"));

        var answered = 0;
        var refused = 0;
        foreach (var (body, accept) in Requests.Sample(1_500, 20))
        {
            var (status, text) = await PostAsync(query, body, accept);
            Assert.True(status is HttpStatusCode.OK or HttpStatusCode.BadRequest or HttpStatusCode.NotAcceptable, $"{(int)status} {text} of {body}");
            Assert.False(text.Contains("Unexpected Execution Error", StringComparison.Ordinal), $"{text} of {body}");
            if (text.Contains("\"errors\"", StringComparison.Ordinal)) refused++;
            else answered++;
        }

        // both kinds must have been among them, or the generator tests nothing
        Assert.True(answered > 100 && refused > 300, $"{answered} answered, {refused} refused");
    }

    static FsCheck.Gen<(string Body, string Accept)> Requests
    {
        get
        {
            var value = Gen.Frequency((9, Gen.Elements(Values)), (1, ArbMap.Default.GeneratorFor<string>().Select(s => JsonEncodedText.Encode(s ?? "").ToString())));
            var values = value.ListOf(3);
            var question =
                from v in values
                from window in Gen.Elements("1m", "1m", v[2])
                from form in Gen.Elements(
                    "services { source services { serviceId } }",
                    $"service(serviceId: \\\"{v[0]}\\\") {{ metrics }}",
                    $"metrics(serviceId: \\\"{v[0]}\\\") {{ metrics {{ metricName }} }}",
                    $"current(serviceId: \\\"{Samples.Service}\\\", metricName: \\\"{Samples.Metric}\\\", window: \\\"{window}\\\") {{ sum tags {{ key }} }}",
                    $"current(serviceId: \\\"{v[0]}\\\", metricName: \\\"{v[1]}\\\", tags: {{ key: \\\"{v[1]}\\\", value: \\\"{v[2]}\\\" }}) {{ sum }}",
                    $"series(serviceId: \\\"{Samples.Service}\\\", metricName: \\\"{Samples.Metric}\\\", from: \\\"{v[0]}\\\", step: \\\"{v[1]}\\\", groupBy: [\\\"{v[2]}\\\"]) {{ series {{ points {{ sum }} }} }}",
                    $"series(serviceId: \\\"{Samples.Service}\\\", metricName: $m, window: \\\"{window}\\\", percentiles: [1, 1e300]) {{ series {{ points {{ sum }} }} }}",
                    $"top(metric: \\\"{v[0]}\\\", by: P99, limit: $n) {{ items {{ p99 }} }}",
                    "top { items { rate } }",
                    "pipeline { lag partitions { owner } }",
                    $"deadLetters(topic: \\\"{v[0]}\\\", before: \\\"{v[1]}\\\", from: \\\"{v[2]}\\\", limit: $n) {{ next }}")
                select form;
            var document =
                from forms in question.NonEmptyListOf().Resize(3)
                let fields = string.Join(' ', forms.Select((f, i) => $"f{i}: {f}"))
                let variables = (fields.Contains("$m", StringComparison.Ordinal) ? "$m: String! " : "") + (fields.Contains("$n", StringComparison.Ordinal) ? "$n: Int" : "")
                from m in value
                from n in Gen.Elements("1", "-5", "2147483648", "1.5", "null", "\"x\"")
                let definitions = variables.Length > 0 ? $"({variables})" : ""
                select $$$"""{"query":"query Q{{{definitions}}} { {{{fields}}} }","variables":{"m":"{{{m}}}","n":{{{n}}} } }""";
            return from body in Gen.Frequency((9, document), (1, Gen.Elements(Bodies))) from accept in Gen.Elements(Accepts) select (body, accept);
        }
    }

    static async Task<(HttpStatusCode Status, string Text)> PostAsync(QueryHost query, string body, string accept)
    {
        // a lone surrogate has no form in UTF-8, so it cannot be sent
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(GraphQLRequests.Path, UriKind.Relative))
        {
            Content = new StringContent(string.Concat(body.EnumerateRunes()), Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await query.Http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
