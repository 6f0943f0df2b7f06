using System.Net;
using StreamMetrics.Query.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests;

[Collection(ServersCollection.Name)]
public sealed class SafetyTests(Servers servers)
{
    [Fact]
    public async Task With_keys_configured_the_API_wants_one_and_health_and_documents_do_not()
    {
        await using var query = await QueryHost.StartAsync(servers, null, ("Query:ApiKeys:0", "0123456789abcdef"), ("Query:ApiKeys:1", "fedcba9876543210"));
        async Task<HttpStatusCode> GetAsync(string path, string? key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
            if (key is not null) request.Headers.Add("X-Api-Key", key);
            using var response = await query.Http.SendAsync(request);
            return response.StatusCode;
        }

        foreach (var path in (string[])["/api/v1/services", "/ws/v1/stream", "/api/v1/stream?serviceId=s&metricName=m"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(path, null));
            Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(path, "0123456789abcdeg"));
        }

        Assert.Equal(HttpStatusCode.OK, await GetAsync("/api/v1/services", "0123456789abcdef"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync("/api/v1/services", "fedcba9876543210"));
        foreach (var path in (string[])["/", "/health", "/alive", "/openapi/v1.json"]) Assert.Equal(HttpStatusCode.OK, await GetAsync(path, null));
        var (_, problem) = await query.GetProblemAsync("/api/v1/services");
        Assert.Contains("X-Api-Key", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_asks_too_often_is_told_so_and_others_are_not()
    {
        await using var query = await QueryHost.StartAsync(
            servers, null, ("Query:RequestsPerSecond", "1"), ("Query:ApiKeys:0", "0123456789abcdef"), ("Query:ApiKeys:1", "fedcba9876543210"));
        async Task<HttpResponseMessage> GetAsync(string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/api/v1/pipeline", UriKind.Relative));
            request.Headers.Add("X-Api-Key", key);
            return await query.Http.SendAsync(request);
        }

        using (var first = await GetAsync("0123456789abcdef")) Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        // Several at a time, for on a busy machine a second may pass between two that follow each other.
        await Eventually.AssertAsync("he is told so", async () =>
        {
            var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => GetAsync("0123456789abcdef")));
            var refused = responses.First(r => r.StatusCode == HttpStatusCode.TooManyRequests);
            Assert.Equal("1", refused.Headers.RetryAfter?.ToString());
            Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
        });
        using var other = await GetAsync("fedcba9876543210");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        using var health = await query.Http.GetAsync(new Uri("/health", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task Without_keys_a_made_up_one_does_not_make_another_client()
    {
        await using var query = await QueryHost.StartAsync(servers, null, ("Query:RequestsPerSecond", "1"));
        await Eventually.AssertAsync("it is refused", async () =>
            Assert.Contains(HttpStatusCode.TooManyRequests, await Task.WhenAll(Enumerable.Range(0, 20).Select(i => StatusAsync(query, $"made-up-{i}")))));
    }

    static async Task<HttpStatusCode> StatusAsync(QueryHost query, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/api/v1/pipeline", UriKind.Relative));
        request.Headers.Add("X-Api-Key", key);
        using var response = await query.Http.SendAsync(request);
        return response.StatusCode;
    }
}
