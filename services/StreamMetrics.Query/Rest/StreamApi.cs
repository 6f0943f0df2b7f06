using Microsoft.Extensions.Options;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Live;

namespace StreamMetrics.Query.Rest;

/// <summary>Values as they change: Server-Sent Events, one subscription a connection, and WebSocket, many.</summary>
static class StreamApi
{
    const string OnlyId = "1";
    static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(15);

    public static RouteGroupBuilder MapStream(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapApiGroup("/stream", "Live");
        group.MapGet("/", Events).WithName("streamEvents")
            .WithSummary("Live values as Server-Sent Events.")
            .WithDescription("Event 'aggregate' with an aggregate as data: the value there is, then each new one. A slow reader gets fewer, newer values. Comments keep the connection alive.")
            .WithParameters(Parameters.ServiceId, Parameters.MetricName, Parameters.Window, Parameters.Tags)
            .WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(string), ["text/event-stream"]));
        routes.Map("/ws/v1/stream", WebSockets).WithTags("Live").ExcludeFromDescription();
        return group;
    }

    static async Task Events(HttpContext context, LiveService live, QueryMetrics metrics, IHostApplicationLifetime lifetime)
    {
        var filter = RequestParser.Live(new(context.Request.Query));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        using var outbox = new Outbox(metrics);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            await context.Response.Body.FlushAsync(end.Token);
            await using var subscription = await live.SubscribeAsync(OnlyId, filter, outbox, end.Token);
            while (true)
            {
                var messages = await outbox.TakeAsync(PingInterval, end.Token);
                if (messages.Count == 0) await context.Response.Body.WriteAsync(": ping\n\n"u8.ToArray(), end.Token);
                foreach (var message in messages)
                {
                    await context.Response.Body.WriteAsync("event: aggregate\ndata: "u8.ToArray(), end.Token);
                    await context.Response.Body.WriteAsync(message.Json, end.Token);
                    await context.Response.Body.WriteAsync("\n\n"u8.ToArray(), end.Token);
                }

                await context.Response.Body.FlushAsync(end.Token);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // the client left or the service stops
        }
    }

    static async Task WebSockets(HttpContext context, LiveService live, IOptions<QueryOptions> options, QueryMetrics metrics, IHostApplicationLifetime lifetime)
    {
        if (!context.WebSockets.IsWebSocketRequest) throw new InvalidRequestException("Upgrade", context.Request.Headers.Upgrade, "must be 'websocket'");
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await using var session = new WebSocketSession(socket, live, options.Value, metrics);
        await session.RunAsync(lifetime.ApplicationStopping);
    }
}
