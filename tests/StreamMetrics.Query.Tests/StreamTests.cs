using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using FsCheck.Fluent;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Tests.Support;
using StreamMetrics.TestSupport;
using Aggregate = StreamMetrics.Contracts.Aggregate;

namespace StreamMetrics.Query.Tests;

[Collection(ServersCollection.Name)]
public sealed class StreamTests(Servers servers) : IAsyncLifetime
{
    static readonly TimeSpan Patience = Eventually.DefaultTimeout;
    static readonly FixedClock Clock = new(new(2026, 2, 7, 12, 30, 30, TimeSpan.Zero));
    static readonly long Minute = Clock.NowMs - 30_000;
    QueryHost _query = null!;
    IConnectionMultiplexer _redis = null!;

    public async Task InitializeAsync()
    {
        await servers.Hot.ClearAsync();
        await servers.Cold.ClearAsync();
        _redis = await servers.Redis.ConnectAsync();
        // the host of the test before is gone, but the server may not have noticed
        await Eventually.EqualAsync("nobody follows the channel", 0L, FollowersAsync);
        _query = await QueryHost.StartAsync(servers, Clock, ("Query:MaxSubscriptions", "3"));
    }

    public async Task DisposeAsync()
    {
        await _query.DisposeAsync();
        await _redis.DisposeAsync();
    }

    static Aggregate Live(double value, IReadOnlyDictionary<string, string>? tags = null, string window = "1m", string metric = Samples.Metric, long start = 0) =>
        Samples.Of(window, start == 0 ? Minute : start, [value], tags, AggregateKind.Provisional, metric: metric) with { Sketch = null };

    Task<long> PublishAsync(Aggregate value) =>
        _redis.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisKeys.Live(value.ServiceId)), JsonSerializer.SerializeToUtf8Bytes(value, ContractsJson.Default.Aggregate));

    Task<ClientWebSocket> ConnectAsync() => ConnectAsync(_query);

    static Task SendAsync(ClientWebSocket socket, string json) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(json.Replace('\'', '"')), WebSocketMessageType.Text, true, CancellationToken.None);

    static async Task<JsonElement> ReceiveAsync(ClientWebSocket socket)
    {
        using var limit = new CancellationTokenSource(Patience);
        var buffer = new byte[64 * 1024];
        var length = 0;
        WebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(new ArraySegment<byte>(buffer, length, buffer.Length - length), limit.Token);
            length += part.Count;
        }
        while (!part.EndOfMessage);
        Assert.Equal(WebSocketMessageType.Text, part.MessageType);
        return JsonDocument.Parse(buffer.AsMemory(0, length)).RootElement;
    }

    static string Subscribe(string id, string more = "") =>
        $$"""{'type':'subscribe','id':'{{id}}','serviceId':'{{Samples.Service}}','metricName':'{{Samples.Metric}}','window':'1m'{{more}}}""";

    [Fact]
    public async Task A_subscriber_gets_the_value_there_is_and_then_each_new_one_until_it_unsubscribes()
    {
        await servers.Hot.LiveAsync(Samples.Of("1m", Minute, [7], kind: AggregateKind.Provisional));
        using var socket = await ConnectAsync();

        await SendAsync(socket, Subscribe("a"));
        Assert.Equal("subscribed", (await ReceiveAsync(socket)).GetProperty("type").GetString());
        var first = await ReceiveAsync(socket);
        Assert.Equal(("aggregate", "a", 7.0), (first.GetProperty("type").GetString(), first.GetProperty("id").GetString(), first.GetProperty("data").GetProperty("sum").GetDouble()));

        // neither another metric, nor another window, nor a series of the total
        await PublishAsync(Live(1, metric: "other"));
        await PublishAsync(Live(2, window: "5m", start: Minute));
        await PublishAsync(Live(3, Samples.Tags(("endpoint", "/a"))));
        await PublishAsync(Live(8));
        var second = await ReceiveAsync(socket);
        Assert.Equal(8, second.GetProperty("data").GetProperty("sum").GetDouble());
        Assert.Equal("provisional", second.GetProperty("data").GetProperty("kind").GetString());
        Assert.False(second.GetProperty("data").GetProperty("final").GetBoolean());

        await SendAsync(socket, "{'type':'unsubscribe','id':'a'}");
        Assert.Equal("unsubscribed", (await ReceiveAsync(socket)).GetProperty("type").GetString());
        await PublishAsync(Live(9));
        await SendAsync(socket, "{'type':'ping','id':'p'}");
        Assert.Equal("pong", (await ReceiveAsync(socket)).GetProperty("type").GetString());
    }

    [Fact]
    public async Task With_tags_each_series_that_has_them_comes_by_itself()
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, Subscribe("t", ",'tags':{'endpoint':'/a'}"));
        Assert.Equal("subscribed", (await ReceiveAsync(socket)).GetProperty("type").GetString());
        await WaitForSubscriberAsync();

        await PublishAsync(Live(1, Samples.Tags(("endpoint", "/b"))));
        await PublishAsync(Live(2));
        await PublishAsync(Live(3, Samples.Tags(("endpoint", "/a"), ("method", "GET"))));

        var message = await ReceiveAsync(socket);
        Assert.Equal(3, message.GetProperty("data").GetProperty("sum").GetDouble());
        Assert.Equal("GET", message.GetProperty("data").GetProperty("tags").GetProperty("method").GetString());
    }

    [Fact]
    public async Task What_is_watched_stands_in_Redis_with_an_end()
    {
        var tags = Samples.Tags(("endpoint", "/a"));
        await servers.Hot.LiveAsync(Samples.Of("1m", Minute, [7], kind: AggregateKind.Provisional), Samples.Of("1m", Minute, [7], tags, AggregateKind.Provisional));
        using var socket = await ConnectAsync();
        await SendAsync(socket, Subscribe("1"));
        await SendAsync(socket, Subscribe("2", ",'tags':{'endpoint':'/a'}"));

        var total = RedisKeys.InterestMember(Samples.Service, Samples.Metric, TagsHash.Total);
        var series = RedisKeys.InterestMember(Samples.Service, Samples.Metric, TagsHash.Compute(tags));
        await Eventually.AssertAsync("both are mentioned", async () =>
        {
            var interest = await _redis.GetDatabase().SortedSetRangeByRankWithScoresAsync(RedisKeys.Interest);
            Assert.Equal(new HashSet<string> { total, series }, interest.Select(i => i.Element.ToString()).ToHashSet());
            Assert.All(interest, i => Assert.InRange(i.Score, Clock.NowMs + 10_000, Clock.NowMs + 60_000));
        });
    }

    [Theory]
    [InlineData("nonsense", "message")]
    [InlineData("null", "message")]
    [InlineData("[1]", "message")]
    [InlineData("{}", "type")]
    [InlineData("{'type':'dance'}", "type")]
    [InlineData("{'type':'subscribe'}", "id")]
    [InlineData("{'type':'subscribe','id':'1'}", "serviceId,metricName")]
    [InlineData("{'type':'subscribe','id':'1','serviceId':'s','metricName':'m','window':'1d'}", "window")]
    [InlineData("{'type':'subscribe','id':'1','serviceId':'s','metricName':'m','tags':{'':'x'}}", "tags.")]
    [InlineData("{'type':'subscribe','id':'1','serviceId':'s','metricName':'m','tags':{'a':'x','A':'y'}}", "tags.a")]
    [InlineData("{'type':'subscribe','id':1}", "message")]
    [InlineData("{'type':'unsubscribe','id':'nobody'}", "id")]
    public async Task A_wrong_message_gets_an_error_that_names_the_field_and_the_connection_stays(string message, string fields)
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, message);

        var error = await ReceiveAsync(socket);
        Assert.Equal("error", error.GetProperty("type").GetString());
        Assert.Equal(fields, string.Join(',', error.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("field").GetString())));

        await SendAsync(socket, "{'type':'ping'}");
        Assert.Equal("pong", (await ReceiveAsync(socket)).GetProperty("type").GetString());
    }

    [Fact]
    public async Task Random_messages_are_answered_or_refused_with_the_field_and_never_break_the_connection()
    {
        string[] fields = ["type", "id", "serviceId", "metricName", "window", "tags", "x", ""];
        string[] values =
        [
            "null", "true", "1", "-1", "1e999", "\"\"", "\"subscribe\"", "\"unsubscribe\"", "\"1\"", "\"payment-service\"", "\"api.request.duration\"", "\"1m\"", "\"1h\"", "{}", "[]", "{\"a\":1}",
            "{\"endpoint\":\"/a\"}", "\"\\u0000\"", "\"\\ud800\"", $"\"{new string('x', 500)}\"", "nonsense",
        ];
        var member = from field in Gen.Elements(fields) from value in Gen.Elements(values) select $"\"{field}\":{value}";
        var json = from members in Gen.Resize(Gen.ListOf(member), 6) select $"{{{string.Join(',', members)}}}";
        var messages = Gen.Sample(json, 300, 6).Concat(["", "[", "[1]", "\"x\"", "{\"type\":\"subscribe\",\"type\":1}"]);
        using var socket = await ConnectAsync();
        var refused = 0;
        foreach (var message in messages)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, CancellationToken.None);
            await SendAsync(socket, "{'type':'ping'}");
            while (true)
            {
                var answer = await ReceiveAsync(socket);
                if (answer.GetProperty("type").GetString() == "pong") break;
                if (answer.GetProperty("type").GetString() != "error") continue;
                refused++;
                Assert.All(answer.GetProperty("errors").EnumerateArray(), e => Assert.NotEqual("", e.GetProperty("rule").GetString()));
            }
        }

        Assert.True(refused > 200, $"{refused} were refused");
    }

    [Fact]
    public async Task Subscriptions_are_limited_and_their_ids_unique()
    {
        using var socket = await ConnectAsync();
        foreach (var id in (string[])["1", "2", "2", "3", "4"]) await SendAsync(socket, Subscribe(id));

        var replies = new List<string?>();
        for (var i = 0; i < 5; i++) replies.Add((await ReceiveAsync(socket)).GetProperty("type").GetString());
        Assert.Equal(["subscribed", "subscribed", "error", "subscribed", "error"], replies);
    }

    [Fact]
    public async Task A_message_without_end_closes_the_connection()
    {
        using var socket = await ConnectAsync();
        var chunk = Encoding.UTF8.GetBytes(new string('x', 10_000));
        await socket.SendAsync(chunk, WebSocketMessageType.Text, false, CancellationToken.None);
        await socket.SendAsync(chunk, WebSocketMessageType.Text, false, CancellationToken.None);

        using var limit = new CancellationTokenSource(Patience);
        var close = await socket.ReceiveAsync(new byte[100], limit.Token);
        Assert.Equal(WebSocketCloseStatus.MessageTooBig, close.CloseStatus);
    }

    [Fact]
    public async Task A_client_that_does_not_read_gets_fewer_and_in_the_end_the_newest_value()
    {
        const int Published = 20_000;
        using var slow = await ConnectAsync();
        using var fast = await ConnectAsync();
        foreach (var socket in (ClientWebSocket[])[slow, fast])
        {
            await SendAsync(socket, Subscribe("1"));
            Assert.Equal("subscribed", (await ReceiveAsync(socket)).GetProperty("type").GetString());
        }

        await WaitForSubscriberAsync();
        // the second subscription may still be on its way; the third reply comes after it
        await SendAsync(fast, "{'type':'ping'}");
        Assert.Equal("pong", (await ReceiveAsync(fast)).GetProperty("type").GetString());

        var reading = ReadUntilAsync(fast, Published);
        foreach (var chunk in Enumerable.Range(1, Published).Chunk(1_000)) await Task.WhenAll(chunk.Select(i => PublishAsync(Live(i))));
        await reading;

        // by now everything has been handed out: more than sockets can hold, so that some must have been replaced
        var received = await ReadUntilAsync(slow, Published);
        Assert.InRange(received, 1, Published - 1);
    }

    [Fact]
    public async Task Server_sent_events_bring_the_value_there_is_and_each_new_one()
    {
        await servers.Hot.LiveAsync(Samples.Of("1m", Minute, [7], kind: AggregateKind.Provisional));
        using var response = await _query.Http.GetAsync(
            new Uri($"/api/v1/stream?serviceId={Samples.Service}&metricName={Samples.Metric}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());

        Assert.Equal(7, (await ReadEventAsync(reader)).GetProperty("sum").GetDouble());
        await PublishAsync(Live(8));
        Assert.Equal(8, (await ReadEventAsync(reader)).GetProperty("sum").GetDouble());
    }

    [Fact]
    public async Task Wrong_parameters_of_a_stream_are_refused_before_it_begins()
    {
        var (status, problem) = await _query.GetProblemAsync("/api/v1/stream?window=1h");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(3, problem.GetProperty("errors").GetArrayLength());

        (status, _) = await _query.GetProblemAsync("/ws/v1/stream");
        Assert.Equal(HttpStatusCode.BadRequest, status);
    }

    [Fact]
    public async Task Values_return_by_themselves_after_Redis_was_away_and_a_subscription_made_meanwhile_works()
    {
        await using var redis = await RealRedis.StartAsync();
        await using var query = await QueryHost.StartAsync(servers, Clock, ("ConnectionStrings:redis", redis.ConnectionString), ("Query:HotTimeout", "00:00:02"));
        using var before = await ConnectAsync(query);
        await SendAsync(before, Subscribe("1"));
        Assert.Equal("subscribed", (await ReceiveAsync(before)).GetProperty("type").GetString());
        await redis.KillAsync();
        using var during = await ConnectAsync(query);
        await SendAsync(during, Subscribe("2"));
        Assert.Equal("subscribed", (await ReceiveAsync(during)).GetProperty("type").GetString());

        await redis.ResumeAsync();
        await using var publisher = await redis.ConnectAsync();
        var json = JsonSerializer.SerializeToUtf8Bytes(Live(5), ContractsJson.Default.Aggregate);
        var received = Task.WhenAll(ReceiveAsync(before), ReceiveAsync(during));
        // Again and again, as the aggregators do: a value that comes while the service is reconnecting may be lost.
        await Eventually.TrueAsync("both get values again", async () =>
        {
            await publisher.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisKeys.Live(Samples.Service)), json);
            return received.IsCompleted;
        });

        Assert.All(await received, value => Assert.Equal(5, value.GetProperty("data").GetProperty("sum").GetDouble()));
    }

    static async Task<ClientWebSocket> ConnectAsync(QueryHost query)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(query.Http.BaseAddress!) { Scheme = "ws", Path = "/ws/v1/stream" }.Uri, CancellationToken.None);
        return socket;
    }

    Task WaitForSubscriberAsync() => Eventually.EqualAsync("the service follows the channel", 1L, FollowersAsync);

    async Task<long> FollowersAsync() => (long)(await _redis.GetDatabase().ExecuteAsync("PUBSUB", "NUMSUB", RedisKeys.Live(Samples.Service)))[1];

    static async Task<int> ReadUntilAsync(ClientWebSocket socket, double value)
    {
        for (var received = 1; ; received++)
        {
            if ((await ReceiveAsync(socket)).GetProperty("data").GetProperty("sum").GetDouble() >= value) return received;
        }
    }

    static async Task<JsonElement> ReadEventAsync(StreamReader reader)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (await reader.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal)) return JsonDocument.Parse(line["data: ".Length..]).RootElement;
        }

        throw new InvalidOperationException("The stream ended.");
    }
}
