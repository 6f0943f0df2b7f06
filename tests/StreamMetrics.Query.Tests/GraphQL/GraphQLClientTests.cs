using System.Text.Json;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests.GraphQL;

/// <summary>Looks at the API with clients of other people, which run in Node.js; <c>./test</c> installs them.</summary>
[Collection(ServersCollection.Name)]
public sealed class GraphQLClientTests(Servers servers)
{
    static readonly FixedClock Clock = new(new(2026, 2, 7, 12, 30, 30, TimeSpan.Zero));
    static readonly long Minute = Clock.NowMs - 30_000;

    [Fact]
    public async Task The_audit_of_graphql_over_http_finds_nothing_and_the_schema_is_valid()
    {
        await using var query = await QueryHost.StartAsync(servers, Clock);
        var output = await ChildProcess.RunAsync("audit", Command("audit.mjs", Address(query)));

        var found = JsonDocument.Parse(string.Concat(output)).RootElement;
        Assert.True(found.GetProperty("audits").GetInt32() >= 61, $"{found}");
        foreach (var name in (string[])["errors", "warnings", "schemaErrors"]) Assert.True(found.GetProperty(name).GetArrayLength() == 0, $"{found}");
        Assert.True(found.GetProperty("isSdlTheIntrospection").GetBoolean());
    }

    [Theory]
    [InlineData("ws")]
    [InlineData("sse")]
    public async Task A_client_subscribes_and_gets_the_value_there_is_and_each_new_one(string kind)
    {
        await servers.Hot.ClearAsync();
        await using var redis = await servers.Redis.ConnectAsync();
        await servers.Hot.LiveAsync(Live(7) with { Sketch = Samples.Of("1m", Minute, [7]).Sketch });
        await using var query = await QueryHost.StartAsync(servers, Clock);
        await using var client = ChildProcess.Start($"graphql-{kind} client", Command("subscribe.mjs", kind, Address(query), "3"));

        // a value that comes before the first was sent would replace it
        await client.WaitForOutputAsync(l => l == "PROVISIONAL 7");
        await PublishAsync(redis, Live(8));
        await client.WaitForOutputAsync(l => l == "PROVISIONAL 8");
        await PublishAsync(redis, Live(9));

        Assert.Equal(0, await client.WaitForExitAsync());
        Assert.Equal(["PROVISIONAL 7", "PROVISIONAL 8", "PROVISIONAL 9", "complete"], client.Output);
    }

    static Contracts.Aggregate Live(double value) => Samples.Of("1m", Minute, [value], kind: AggregateKind.Provisional) with { Sketch = null };

    static Task<long> PublishAsync(IConnectionMultiplexer redis, Contracts.Aggregate value) => redis.GetSubscriber().PublishAsync(
        RedisChannel.Literal(RedisKeys.Live(value.ServiceId)), JsonSerializer.SerializeToUtf8Bytes(value, ContractsJson.Default.Aggregate));

    static string Address(QueryHost query) => new Uri(query.Http.BaseAddress!, GraphQLRequests.Path).ToString();

    static string[] Command(string script, params string[] arguments)
    {
        var folder = RepositoryRoot.Combine("tests", "StreamMetrics.Query.Tests", "GraphQL", "clients");
        Assert.True(Directory.Exists(Path.Combine(folder, "node_modules")), $"The clients are missing: run ./test once, or npm ci in {folder}.");
        return ["node", Path.Combine(folder, script), .. arguments];
    }
}
