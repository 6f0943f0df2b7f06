using System.Net.WebSockets;
using HotChocolate;
using HotChocolate.AspNetCore;
using HotChocolate.AspNetCore.Subscriptions;
using HotChocolate.AspNetCore.Subscriptions.Protocols;
using HotChocolate.Execution;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StreamMetrics.GraphQL.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.GraphQL.Tests;

/// <summary>The protocol graphql-transport-ws, message by message; clients of other people are in StreamMetrics.Query.Tests.</summary>
public sealed class SocketTests : IAsyncLifetime
{
    TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_subscription_gives_next_for_each_event_and_complete()
    {
        using var socket = await _server.ConnectAsync();
        await socket.SubscribeAsync("1", "subscription { counted(from: 1, to: 3) { name } }");

        Assert.Equal("""next {"data":{"counted":{"name":"1"}}}""", await socket.ReceiveTextOfAsync("1"));
        Assert.Equal("""next {"data":{"counted":{"name":"2"}}}""", await socket.ReceiveTextOfAsync("1"));
        Assert.Equal("complete", await socket.ReceiveTextOfAsync("1"));
        // the id is free again
        await socket.SubscribeAsync("1", "{ hello }");
        Assert.Equal("""next {"data":{"hello":"world"}}""", await socket.ReceiveTextOfAsync("1"));
        Assert.Equal("complete", await socket.ReceiveTextOfAsync("1"));
    }

    [Theory]
    [InlineData("{ hullo }", "Field-Selections")]
    [InlineData("{", "HC0011")]
    [InlineData("subscription { refused }", "nothing to hear")]
    public async Task What_cannot_be_executed_gives_error_and_nothing_after_it(string query, string message)
    {
        using var socket = await _server.ConnectAsync();
        await socket.SubscribeAsync("e", query);

        var text = await socket.ReceiveTextOfAsync("e");
        Assert.StartsWith("error [", text, StringComparison.Ordinal);
        Assert.Contains(message, text, StringComparison.Ordinal);
        await socket.SendAsync("""{"type":"ping"}""");
        Assert.Equal("pong", await socket.ReceiveTypeAsync());
    }

    [Fact]
    public async Task A_field_that_fails_is_part_of_next()
    {
        using var socket = await _server.ConnectAsync();
        await socket.SubscribeAsync("1", "{ later { throws } }");

        Assert.Contains("\"data\":{\"later\":null}", await socket.ReceiveTextOfAsync("1"), StringComparison.Ordinal);
        Assert.Equal("complete", await socket.ReceiveTextOfAsync("1"));
    }

    [Fact]
    public async Task A_client_that_completes_gets_no_more_and_its_source_is_closed()
    {
        using var socket = await _server.ConnectAsync();
        await socket.SubscribeAsync("s", "subscription { silence }");
        await Eventually.TrueAsync("the source is asked", () => _server.Journal.Entries.Contains("listening"));

        await socket.SendAsync("""{"type":"complete","id":"s"}""");

        await Eventually.TrueAsync("the source is closed", () => _server.Journal.Entries.Contains("gone"));
        await socket.SendAsync("""{"type":"complete","id":"s"}""");
        await socket.SendAsync("""{"type":"pong"}""");
        await socket.SendAsync("""{"type":"ping"}""");
        Assert.Equal("pong", await socket.ReceiveTypeAsync());
    }

    [Theory]
    [InlineData("what", 4400, "JSON")]
    [InlineData("[]", 4400, "object")]
    [InlineData("{}", 4400, "'type'")]
    [InlineData("""{"type":1}""", 4400, "'type'")]
    [InlineData("""{"type":"start","id":"1"}""", 4400, "type of message")]
    [InlineData("""{"type":"subscribe","payload":{"query":"{ hello }"}}""", 4400, "'id'")]
    [InlineData("""{"type":"subscribe","id":"1"}""", 4400, "'payload'")]
    [InlineData("""{"type":"subscribe","id":"1","payload":{"query":1}}""", 4400, "'query'")]
    [InlineData("""{"type":"connection_init"}""", 4429, "Too many initialisation requests")]
    public async Task A_client_that_breaks_the_protocol_is_told_why_it_is_left(string message, int code, string reason)
    {
        using var socket = await _server.ConnectAsync();
        await socket.SendAsync(message);

        var close = await socket.ReceiveCloseAsync();
        Assert.Equal(code, close.Code);
        Assert.Contains(reason, close.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_that_is_in_use_closes_the_connection()
    {
        using var socket = await _server.ConnectAsync();
        await socket.SubscribeAsync("twice", "subscription { silence }");
        await socket.SubscribeAsync("twice", "{ hello }");

        Assert.Equal((4409, "Subscriber for twice already exists"), await socket.ReceiveCloseAsync());
        await Eventually.TrueAsync("the source is closed", () => _server.Journal.Entries.Contains("gone"));
    }

    [Fact]
    public async Task A_client_must_introduce_itself_before_it_asks_and_in_time()
    {
        using var early = await _server.ConnectAsync(introduce: false);
        await early.SubscribeAsync("1", "{ hello }");
        Assert.Equal((4401, "Unauthorized"), await early.ReceiveCloseAsync());

        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(time);
        using var late = await server.ConnectAsync(introduce: false);
        await late.SendAsync("""{"type":"ping"}""");
        Assert.Equal("pong", await late.ReceiveTypeAsync());
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(4408, (await late.ReceiveCloseAsync()).Code);
    }

    [Fact]
    public async Task The_server_pings_at_the_interval()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(time);
        using var socket = await server.ConnectAsync();
        time.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal("ping", await socket.ReceiveTypeAsync());
    }

    [Fact]
    public async Task A_message_may_not_be_larger_than_allowed()
    {
        using var socket = await _server.ConnectAsync();
        await socket.SendAsync("{\"type\":\"ping\",\"payload\":\"" + new string('x', 20_000));

        Assert.Equal((int)WebSocketCloseStatus.MessageTooBig, (await socket.ReceiveCloseAsync()).Code);
    }

    [Fact]
    public async Task Another_protocol_is_refused() =>
        await Assert.ThrowsAsync<WebSocketException>(() => _server.ConnectAsync(protocol: "graphql-ws"));

    [Fact]
    public async Task A_server_that_stops_says_so()
    {
        using var socket = await _server.ConnectAsync();
        await socket.SubscribeAsync("s", "subscription { silence }");
        await Eventually.TrueAsync("the source is asked", () => _server.Journal.Entries.Contains("listening"));
        var stopping = _server.StopAsync();

        Assert.Equal((int)WebSocketCloseStatus.EndpointUnavailable, (await socket.ReceiveCloseAsync()).Code);
        await stopping;
        Assert.Contains("gone", _server.Journal.Entries);
    }

    [Fact]
    public async Task An_interceptor_may_refuse_clients_and_operations()
    {
        await using var server = await TestServer.StartAsync(configure: b => b.AddSocketSessionInterceptor<Strict>());
        using var socket = await server.ConnectAsync(introduce: false);
        await socket.SendAsync("""{"type":"connection_init","payload":{"token":"good"}}""");
        Assert.Equal("connection_ack", await socket.ReceiveTypeAsync());
        await socket.SubscribeAsync("1", "subscription { silence }");
        await socket.SubscribeAsync("2", "{ hello }");
        Assert.Contains("one at a time", await socket.ReceiveTextOfAsync("2"), StringComparison.Ordinal);

        using var stranger = await server.ConnectAsync(introduce: false);
        await stranger.SendAsync("""{"type":"connection_init","payload":{"token":"bad"}}""");
        Assert.Equal((4403, "Who are you?"), await stranger.ReceiveCloseAsync());
    }

    sealed class Strict : DefaultSocketSessionInterceptor
    {
        public override ValueTask<ConnectionStatus> OnConnectAsync(ISocketSession session, IOperationMessagePayload connectionInitMessage, CancellationToken cancellationToken = default) =>
            new(connectionInitMessage.As<Dictionary<string, string>>()?["token"] == "good" ? ConnectionStatus.Accept() : ConnectionStatus.Reject("Who are you?"));

        public override ValueTask OnRequestAsync(ISocketSession session, string operationSessionId, OperationRequestBuilder requestBuilder, CancellationToken cancellationToken = default) =>
            session.Operations.Any() ? throw new GraphQLException("one at a time") : default;
    }
}
