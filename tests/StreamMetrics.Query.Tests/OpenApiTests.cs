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

    static IEnumerable<string?> Parameters(JsonElement paths, string path) =>
        paths.GetProperty(path).GetProperty("get").GetProperty("parameters").EnumerateArray().Select(p => p.GetProperty("name").GetString());
}
