using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using HotChocolate.AspNetCore;
using HotChocolate.Execution.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StreamMetrics.TestSupport;

namespace StreamMetrics.GraphQL.Tests.Support;

/// <summary>The test's schema behind a real socket.</summary>
sealed class TestServer : IAsyncDisposable
{
    readonly WebApplication _app;

    TestServer(WebApplication app)
    {
        _app = app;
        Http = new() { BaseAddress = new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };
    }

    public HttpClient Http { get; }

    public Journal Journal => _app.Services.GetRequiredService<Journal>();

    public static async Task<TestServer> StartAsync(TimeProvider? time = null, GraphQLServerOptions? options = null, Action<IRequestExecutorBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddSingleton<Journal>();
        var schema = builder.Services.AddGraphQLServer(maxAllowedRequestSize: 10_000).AddQueryType<Query>().AddMutationType<Mutation>().AddSubscriptionType<Subscription>()
            .DisableIntrospection(disable: false);
        configure?.Invoke(schema);
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.UseWebSockets();
        app.MapGraphQL().WithOptions(options ?? new());
        await app.StartAsync();
        return new(app);
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body = null, string? accept = null, string? contentType = "application/json")
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (contentType is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public async Task<TestSocket> ConnectAsync(bool introduce = true, string protocol = "graphql-transport-ws")
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(protocol);
        await socket.ConnectAsync(new Uri(new UriBuilder(Http.BaseAddress!) { Scheme = "ws", Path = "/graphql" }.ToString()), CancellationToken.None);
        var result = new TestSocket(socket);
        if (!introduce) return result;
        await result.SendAsync("""{"type":"connection_init"}""");
        Assert.Equal("connection_ack", await result.ReceiveTypeAsync());
        return result;
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }
}

/// <summary>A client that says what the test wants it to say.</summary>
sealed class TestSocket(ClientWebSocket socket) : IDisposable
{
    static readonly TimeSpan Patience = Eventually.DefaultTimeout;

    public ClientWebSocket Socket => socket;

    public Task SendAsync(string message) => socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, CancellationToken.None);

    public Task SubscribeAsync(string id, string query) => SendAsync(JsonSerializer.Serialize(new { type = "subscribe", id, payload = new { query } }));

    /// <summary>The next message; fails when the server closes instead.</summary>
    public async Task<JsonElement> ReceiveAsync()
    {
        var (text, result) = await ReceiveTextAsync();
        Assert.True(result.MessageType == WebSocketMessageType.Text, $"{socket.CloseStatus} {socket.CloseStatusDescription}");
        return JsonDocument.Parse(text).RootElement;
    }

    public async Task<string> ReceiveTypeAsync() => (await ReceiveAsync()).GetProperty("type").GetString()!;

    /// <summary>Type, id and payload of the next message.</summary>
    public async Task<string> ReceiveTextOfAsync(string id)
    {
        var message = await ReceiveAsync();
        Assert.Equal(id, message.GetProperty("id").GetString());
        return message.GetProperty("type").GetString() + (message.TryGetProperty("payload", out var payload) ? " " + payload.GetRawText() : "");
    }

    /// <summary>The code with which the server closes, and its words; messages before are passed over.</summary>
    public async Task<(int Code, string? Reason)> ReceiveCloseAsync()
    {
        while ((await ReceiveTextAsync()).Result.MessageType != WebSocketMessageType.Close)
        {
        }

        return ((int)socket.CloseStatus!.Value, socket.CloseStatusDescription);
    }

    public void Dispose() => socket.Dispose();

    async Task<(string Text, WebSocketReceiveResult Result)> ReceiveTextAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        var buffer = new byte[16 * 1024];
        var length = 0;
        WebSocketReceiveResult result;
        do
        {
            result = await socket.ReceiveAsync(new ArraySegment<byte>(buffer, length, buffer.Length - length), limit.Token);
            length += result.Count;
        }
        while (!result.EndOfMessage);
        return (Encoding.UTF8.GetString(buffer, 0, length), result);
    }
}
