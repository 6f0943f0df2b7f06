using System.Text.Json;
using StreamMetrics.Query.Tests.Support;

namespace StreamMetrics.Query.Tests;

[Collection(ServersCollection.Name)]
public sealed class OpenApiTests(Servers servers)
{
    [Fact]
    public async Task Every_endpoint_is_described_with_its_parameters_answers_and_problems()
    {
        await using var query = await QueryHost.StartAsync(servers);
        var document = await query.GetAsync("/openapi/v1.json");
        var paths = document.GetProperty("paths");

        string[] endpoints =
        [
            "/api/v1/services", "/api/v1/services/{serviceId}", "/api/v1/services/{serviceId}/metrics", "/api/v1/services/{serviceId}/metrics/{metricName}/current",
            "/api/v1/services/{serviceId}/metrics/{metricName}/series", "/api/v1/top", "/api/v1/pipeline", "/api/v1/stream",
            "/api/v1/dead-letters", "/api/v1/dead-letters/{partition}/{offset}/replay",
        ];
        Assert.Superset(endpoints.ToHashSet(), paths.EnumerateObject().Select(p => p.Name).ToHashSet());
        foreach (var path in paths.EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                Assert.NotEmpty(operation.Value.GetProperty("summary").GetString()!);
                Assert.NotEmpty(operation.Value.GetProperty("operationId").GetString()!);
                var responses = operation.Value.GetProperty("responses");
                Assert.True(responses.TryGetProperty("400", out var bad), path.Name);
                Assert.True(bad.GetProperty("content").TryGetProperty("application/problem+json", out _), path.Name);
                Assert.True(responses.TryGetProperty("503", out _), path.Name);
                if (!operation.Value.TryGetProperty("parameters", out var parameters)) continue;
                foreach (var parameter in parameters.EnumerateArray())
                    Assert.False(string.IsNullOrEmpty(parameter.GetProperty("description").GetString()), $"{path.Name} {parameter}");
            }
        }

        Assert.Equal(
            ["serviceId", "metricName", "window", "from", "to", "step", "groupBy", "percentiles", "tags", "include"],
            Parameters(paths, endpoints[4]));
        Assert.Equal(["metric", "by", "window", "limit"], Parameters(paths, "/api/v1/top"));
    }

    [Fact]
    public async Task It_names_what_the_service_wants_of_who_asks_and_how_it_refuses()
    {
        await using var query = await QueryHost.StartAsync(
            servers, null, ("Query:ApiKeys:0", "0123456789abcdef"), ("Query:Jwt:SigningKey", new string('k', 32)), ("Query:Jwt:Audience", "metrics"), ("Query:Jwt:RequiredScope", "metrics.read"));
        var document = await query.GetAsync("/openapi/v1.json");

        var schemes = document.GetProperty("components").GetProperty("securitySchemes");
        Assert.Equal(("apiKey", "header", "X-Api-Key"), (Text(schemes, "apiKey", "type"), Text(schemes, "apiKey", "in"), Text(schemes, "apiKey", "name")));
        Assert.Equal(("http", "bearer", "JWT"), (Text(schemes, "bearer", "type"), Text(schemes, "bearer", "scheme"), Text(schemes, "bearer", "bearerFormat")));
        Assert.Equal(("apiKey", "query", "access_token"), (Text(schemes, "accessToken", "type"), Text(schemes, "accessToken", "in"), Text(schemes, "accessToken", "name")));
        Assert.Equal(["apiKey", "bearer"], Alternatives(document));
        foreach (var (path, operation) in Operations(document))
        {
            if (path == "/api/v1/stream") Assert.Equal(["apiKey", "bearer", "accessToken"], Alternatives(operation));
            else Assert.False(operation.TryGetProperty("security", out _), path);
            Assert.Equal(["401", "403", "429"], Refusals(path, operation));
        }
    }

    [Fact]
    public async Task An_open_service_names_no_keys_and_no_refusal_that_cannot_be()
    {
        await using var query = await QueryHost.StartAsync(servers, null, ("Query:RequestsPerSecond", "0"));
        await using var limited = await QueryHost.StartAsync(servers);
        var document = await query.GetAsync("/openapi/v1.json");

        Assert.False(document.GetProperty("components").TryGetProperty("securitySchemes", out _));
        Assert.False(document.TryGetProperty("security", out _));
        foreach (var (path, operation) in Operations(document)) Assert.Empty(Refusals(path, operation));
        foreach (var (path, operation) in Operations(await limited.GetAsync("/openapi/v1.json"))) Assert.Equal(["429"], Refusals(path, operation));
    }

    static IEnumerable<(string Path, JsonElement Operation)> Operations(JsonElement document) =>
        document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject(), (p, o) => (p.Name, o.Value));

    static IEnumerable<string> Alternatives(JsonElement of) => of.GetProperty("security").EnumerateArray().Select(r => r.EnumerateObject().Single().Name);

    // Which there are of those that come before the question is looked at; each must be a problem document.
    static List<string> Refusals(string path, JsonElement operation)
    {
        var found = operation.GetProperty("responses").EnumerateObject().Where(r => r.Name is "401" or "403" or "429").ToList();
        foreach (var refusal in found) Assert.True(refusal.Value.GetProperty("content").TryGetProperty("application/problem+json", out _), $"{path} {refusal.Name}");
        return [.. found.Select(r => r.Name).Order(StringComparer.Ordinal)];
    }

    static string? Text(JsonElement schemes, string scheme, string property) => schemes.GetProperty(scheme).GetProperty(property).GetString();

    static IEnumerable<string?> Parameters(JsonElement paths, string path) =>
        paths.GetProperty(path).GetProperty("get").GetProperty("parameters").EnumerateArray().Select(p => p.GetProperty("name").GetString());
}
