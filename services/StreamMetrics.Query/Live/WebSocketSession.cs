using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.Primitives;
using StreamMetrics.Query.Input;

namespace StreamMetrics.Query.Live;

/// <summary>
/// One WebSocket client: a loop that reads its requests and one that sends what its outbox holds. Either end ends both. The connection itself
/// is watched by protocol pings.
/// </summary>
sealed class WebSocketSession(WebSocket socket, LiveService live, QueryOptions options, QueryMetrics metrics) : IAsyncDisposable
{
    const int MaxMessageBytes = 16 * 1024;
    const int MaxWaitingReplies = 100;
    const int MaxIdLength = 100;
    static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);
    static readonly TimeSpan WaitStep = TimeSpan.FromSeconds(30);

    readonly Outbox _outbox = new(metrics);
    readonly Dictionary<string, IAsyncDisposable> _subscriptions = new(StringComparer.Ordinal);
    readonly SemaphoreSlim _sent = new(0, 1);

    /// <summary>Returns when the client left, broke the protocol, or the service stops.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var sending = SendAsync(end.Token);
        var receiving = ReceiveAsync(end.Token);
        await Task.WhenAny(sending, receiving);
        var isStopping = stopping.IsCancellationRequested;
        await end.CancelAsync();
        await Task.WhenAll(Quietly(sending), Quietly(receiving));
        await CloseAsync(isStopping ? WebSocketCloseStatus.EndpointUnavailable : WebSocketCloseStatus.NormalClosure);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var subscription in _subscriptions.Values) await subscription.DisposeAsync();
        _outbox.Dispose();
        _sent.Dispose();
    }

    async Task ReceiveAsync(CancellationToken token)
    {
        var buffer = new byte[MaxMessageBytes];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                if (length == buffer.Length)
                {
                    await CloseAsync(WebSocketCloseStatus.MessageTooBig);
                    return;
                }

                part = await socket.ReceiveAsync(buffer.AsMemory(length), token);
                length += part.Count;
            }
            while (!part.EndOfMessage);

            if (part.MessageType == WebSocketMessageType.Close) return;
            // a client that asks and never reads its replies has to wait
            while (_outbox.ReplyCount >= MaxWaitingReplies) await _sent.WaitAsync(WaitStep, token);
            await AnswerAsync(buffer.AsMemory(0, length), token);
        }
    }

    async Task SendAsync(CancellationToken token)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        while (true)
        {
            foreach (var message in await _outbox.TakeAsync(WaitStep, token))
            {
                buffer.ResetWrittenCount();
                LiveMessages.Write(buffer, message);
                await socket.SendAsync(buffer.WrittenMemory, WebSocketMessageType.Text, endOfMessage: true, token);
            }

            if (_sent.CurrentCount == 0) _sent.Release();
        }
    }

    async Task AnswerAsync(ReadOnlyMemory<byte> json, CancellationToken token)
    {
        string? id = null;
        try
        {
            var message = JsonSerializer.Deserialize(json.Span, LiveJson.Default.ClientMessage) ?? throw new JsonException("it is null");
            id = message.Id;
            await AnswerAsync(message, token);
        }
        catch (JsonException exception)
        {
            _outbox.PutReply(LiveMessages.Reply("error", id, [new("message", null, $"must be a JSON object with string fields: {exception.Message}")]));
        }
        catch (InvalidRequestException exception)
        {
            _outbox.PutReply(LiveMessages.Reply("error", id, exception.Errors));
        }
    }

    async Task AnswerAsync(ClientMessage message, CancellationToken token)
    {
        switch (message.Type)
        {
            case "subscribe":
                await SubscribeAsync(message, token);
                return;
            case "unsubscribe":
                await UnsubscribeAsync(Id(message));
                return;
            case "ping":
                _outbox.PutReply(LiveMessages.Reply("pong", message.Id));
                return;
            default:
                throw new InvalidRequestException("type", message.Type, "must be one of subscribe, unsubscribe, ping");
        }
    }

    async Task SubscribeAsync(ClientMessage message, CancellationToken token)
    {
        var id = Id(message);
        var filter = RequestParser.Live(new ParameterReader(Parameters(message)));
        if (_subscriptions.ContainsKey(id)) throw new InvalidRequestException("id", id, "must be another than those of the subscriptions there are");
        if (_subscriptions.Count >= options.MaxSubscriptions)
            throw new InvalidRequestException("id", id, $"must be one of at most {options.MaxSubscriptions} subscriptions of a connection");
        _outbox.PutReply(LiveMessages.Reply("subscribed", id));
        _subscriptions[id] = await live.SubscribeAsync(id, filter, _outbox, token);
    }

    async Task UnsubscribeAsync(string id)
    {
        if (!_subscriptions.Remove(id, out var subscription)) throw new InvalidRequestException("id", id, "must be that of a subscription");
        await subscription.DisposeAsync();
        _outbox.Forget(id);
        _outbox.PutReply(LiveMessages.Reply("unsubscribed", id));
    }

    static string Id(ClientMessage message) => message.Id is { Length: > 0 and <= MaxIdLength } id
        ? id
        : throw new InvalidRequestException("id", message.Id, $"must have 1 to {MaxIdLength} characters");

    static IEnumerable<KeyValuePair<string, StringValues>> Parameters(ClientMessage message)
    {
        if (message.ServiceId is not null) yield return new("serviceId", message.ServiceId);
        if (message.MetricName is not null) yield return new("metricName", message.MetricName);
        if (message.Window is not null) yield return new("window", message.Window);
        // names have no case, so two of them may be one: the reader tells of it
        foreach (var tags in (message.Tags ?? new Dictionary<string, string?>()).GroupBy(t => t.Key, StringComparer.OrdinalIgnoreCase))
            yield return new("tags." + tags.Key, tags.Select(t => t.Value).ToArray());
    }

    async Task CloseAsync(WebSocketCloseStatus status)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        using var deadline = new CancellationTokenSource(CloseTimeout);
        await Quietly(socket.CloseOutputAsync(status, null, deadline.Token));
    }

    // the client may leave at any moment without a word
    static async Task Quietly(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException or IOException)
        {
            // the end of the connection, which is what we are about to make of it
        }
    }
}
