using System.Net;
using System.Text.RegularExpressions;
using StreamMetrics.Query.Tests.Support;

namespace StreamMetrics.Query.Tests.GraphQL;

[Collection(ServersCollection.Name)]
public sealed partial class GraphiQLTests(Servers servers)
{
    [Fact]
    public async Task A_browser_gets_the_page_and_everything_that_it_names_from_the_service_itself_without_a_key()
    {
        await using var query = await QueryHost.StartAsync(servers, null, ("Query:ApiKeys:0", "0123456789abcdef"));
        var (status, page) = await GetAsync(query, "/graphql", "text/html,application/xhtml+xml,*/*;q=0.8");

        Assert.Equal(HttpStatusCode.OK, status);
        var files = FileNames().Matches(page).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(7, files.Count);
        foreach (var file in files)
        {
            Assert.StartsWith("/graphiql/", file, StringComparison.Ordinal);
            Assert.True((await GetAsync(query, file, "*/*")).Status == HttpStatusCode.OK, $"{file} is missing: run ./test once, or npm ci in services/StreamMetrics.Query/GraphiQL.");
        }
    }

    [Theory]
    [InlineData("/graphql", "*/*")]
    [InlineData("/graphql", "application/json")]
    [InlineData("/graphql?query={__typename}", "text/html,*/*")]
    [InlineData("/graphql?sdl", "text/html,*/*")]
    public async Task Programs_and_links_to_answers_get_no_page_and_need_a_key(string path, string accept)
    {
        await using var query = await QueryHost.StartAsync(servers, null, ("Query:ApiKeys:0", "0123456789abcdef"));

        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(query, path, accept)).Status);
    }

    [GeneratedRegex("""(?:src|href)="(/graphiql/[^"]+)""")]
    private static partial Regex FileNames();

    static async Task<(HttpStatusCode Status, string Body)> GetAsync(QueryHost query, string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await query.Http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
