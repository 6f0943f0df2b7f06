using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using StreamMetrics.GraphQL.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.GraphQL.Tests;

/// <summary>GraphQL over HTTP, beside what the audit of graphql-http looks at.</summary>
public sealed class HttpTests : IAsyncLifetime
{
    const string Path = "/graphql";
    const string Hello = """{"query":"{ hello }"}""";
    const string Json = "application/json; charset=utf-8";
    const string GraphQL = "application/graphql-response+json; charset=utf-8";
    TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData(null, 200, Json)]
    [InlineData("", 200, Json)]
    [InlineData("*/*", 200, Json)]
    [InlineData("application/*", 200, Json)]
    [InlineData("application/json; charset=utf-8", 200, Json)]
    [InlineData("application/graphql-response+json", 200, GraphQL)]
    [InlineData("application/json;q=0.5, application/graphql-response+json", 200, GraphQL)]
    [InlineData("application/graphql-response+json;q=0.5, application/json;q=0.9", 200, Json)]
    [InlineData("text/html, APPLICATION/JSON;q=0.1", 200, Json)]
    [InlineData("text/event-stream", 200, "text/event-stream")]
    [InlineData("text/html", 406, Json)]
    [InlineData("application/json;q=0", 406, Json)]
    [InlineData("not a type", 406, Json)]
    public async Task The_form_of_the_answer_is_the_one_that_is_accepted(string? accept, int status, string type)
    {
        using var response = await _server.SendAsync(HttpMethod.Post, Path, Hello, accept);

        Assert.Equal((status, type), ((int)response.StatusCode, response.Content.Headers.ContentType?.ToString()));
    }

    [Theory]
    [InlineData("""{"query":"{ hello"}""", "application/json", 200)]
    [InlineData("""{"query":"{ hello"}""", "application/graphql-response+json", 400)]
    [InlineData("""{"query":"{ refuses }"}""", "application/graphql-response+json", 200)]
    [InlineData("""{"query":"{ hello }","operationName":"A"}""", "application/graphql-response+json", 400)]
    [InlineData("""{"query":"{ hello }","operationName":""}""", "application/graphql-response+json", 200)]
    [InlineData("""{"query":""}""", "application/json", 400)]
    [InlineData("[]", "application/json", 400)]
    [InlineData("[{\"query\":\"{ hello }\"}]", "application/json", 400)]
    [InlineData("", "application/json", 400)]
    [InlineData("""{"query":"\ud800"}""", "application/json", 400)]
    [InlineData("""{"query":"{ hello }","variables":{"\ud800":1}}""", "application/json", 400)]
    public async Task The_status_says_what_came_of_the_request(string body, string accept, int status)
    {
        using var response = await _server.SendAsync(HttpMethod.Post, Path, body, accept);

        Assert.Equal(status, (int)response.StatusCode);
        var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        if (status == 400) Assert.False(answer.TryGetProperty("data", out _));
    }

    [Theory]
    [InlineData("text/plain", 415)]
    [InlineData("application/json; charset=latin1", 415)]
    [InlineData("application/json; charset=UTF-8", 200)]
    [InlineData("application/x-www-form-urlencoded", 415)]
    [InlineData(null, 415)]
    public async Task A_body_must_be_json(string? contentType, int status)
    {
        using var response = await _server.SendAsync(HttpMethod.Post, Path, Hello, contentType: contentType);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_body_may_not_be_larger_than_allowed()
    {
        using var response = await _server.SendAsync(HttpMethod.Post, Path, Hello + new string(' ', 10_000));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Theory]
    [InlineData("PUT", "/graphql", "GET, POST")]
    [InlineData("DELETE", "/graphql", "GET, POST")]
    [InlineData("GET", "/graphql?query=mutation{add(number:1)}", "POST")]
    public async Task A_method_that_is_not_allowed_is_told_with_those_that_are(string method, string path, string allow)
    {
        using var response = await _server.SendAsync(new(method), path);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(allow, string.Join(", ", response.Content.Headers.Allow));
        Assert.Empty(_server.Journal.Entries);
    }

    [Theory]
    [InlineData("?query={hello}", "{\"data\":{\"hello\":\"world\"}}")]
    [InlineData("?query=query A{hello} query B($i:Int){numbers(i:$i)}&operationName=B&variables={\"i\":5}&extensions={}", "{\"data\":{\"numbers\":\"5 2 3 True\"}}")]
    [InlineData("?query={hello}&variables=", "{\"data\":{\"hello\":\"world\"}}")]
    public async Task Queries_may_stand_in_the_address(string query, string answer) =>
        Assert.Equal(answer, await _server.Http.GetStringAsync(new Uri(Path + query, UriKind.Relative)));

    [Theory]
    [InlineData("")]
    [InlineData("?query=")]
    [InlineData("?query={hello}&variables={")]
    [InlineData("?query={hello}&variables=[]")]
    public async Task An_address_without_a_query_is_refused(string query)
    {
        using var response = await _server.SendAsync(HttpMethod.Get, Path + query);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task What_is_switched_off_is_not_there()
    {
        await using var server = await TestServer.StartAsync(options: new() { EnableGetRequests = false, EnableSchemaRequests = false });
        foreach (var path in (string[])["/graphql?query={hello}", "/graphql?sdl"])
        {
            using var response = await server.SendAsync(HttpMethod.Get, path);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        }
    }

    [Fact]
    public async Task A_subscription_comes_as_events_and_ends_with_complete()
    {
        using var response = await _server.SendAsync(HttpMethod.Post, Path, """{"query":"subscription { counted(from: 1, to: 3) { name } }"}""", "text/event-stream");

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(
            "event: next\ndata: {\"data\":{\"counted\":{\"name\":\"1\"}}}\n\nevent: next\ndata: {\"data\":{\"counted\":{\"name\":\"2\"}}}\n\nevent: complete\ndata:\n\n",
            await response.Content.ReadAsStringAsync());
        using var wrong = await _server.SendAsync(HttpMethod.Get, "/graphql?query=subscription{nothing}", accept: "text/event-stream");
        Assert.Contains("Field-Selections", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var json = await _server.SendAsync(HttpMethod.Post, Path, """{"query":"subscription { refused }"}""", "application/json");
        Assert.Equal(HttpStatusCode.NotAcceptable, json.StatusCode);
    }

    [Fact]
    public async Task A_stream_without_events_is_kept_alive_and_closed_when_the_client_leaves()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(time);
        using (var response = await server.SendAsync(HttpMethod.Get, "/graphql?query=subscription{silence}", accept: "text/event-stream"))
        {
            await using var stream = await response.Content.ReadAsStreamAsync();
            await Eventually.TrueAsync("the source is asked", () => server.Journal.Entries.Contains("listening"));
            time.Advance(TimeSpan.FromSeconds(13));
            var buffer = new byte[3];
            await stream.ReadExactlyAsync(buffer);
            Assert.Equal(":\n\n"u8.ToArray(), buffer);
        }

        await Eventually.TrueAsync("the source is closed", () => server.Journal.Entries.Contains("gone"));
    }

    [Fact]
    public async Task A_server_that_stops_ends_its_streams()
    {
        using var response = await _server.SendAsync(HttpMethod.Get, "/graphql?query=subscription{silence}", accept: "text/event-stream");
        await Eventually.TrueAsync("the source is asked", () => _server.Journal.Entries.Contains("listening"));

        await _server.StopAsync();

        Assert.Contains("gone", _server.Journal.Entries);
    }
}
