using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using StreamMetrics.Query.Tests.Support;

namespace StreamMetrics.Query.Tests.GraphQL;

/// <summary>Asks the service by GraphQL.</summary>
static class GraphQLRequests
{
    public const string Path = "/graphql";

    /// <summary>The data of an answer without errors.</summary>
    public static async Task<JsonElement> AskAsync(this QueryHost host, string query, object? variables = null)
    {
        var answer = await host.PostAsync(query, variables);
        Assert.False(answer.TryGetProperty("errors", out var errors), $"{query}: {errors}");
        return answer.GetProperty("data");
    }

    /// <summary>The only error of an answer.</summary>
    public static async Task<JsonElement> FailAsync(this QueryHost host, string query, object? variables = null) =>
        Assert.Single((await host.PostAsync(query, variables)).GetProperty("errors").EnumerateArray());

    public static async Task<JsonElement> PostAsync(this QueryHost host, string query, object? variables = null)
    {
        using var response = await host.Http.PostAsJsonAsync(Path, new { query, variables });
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{query}: {(int)response.StatusCode} {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    public static string Code(this JsonElement error) => error.GetProperty("extensions").GetProperty("code").GetString()!;
}
