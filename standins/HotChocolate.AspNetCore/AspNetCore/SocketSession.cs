using System.Collections;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using HotChocolate.AspNetCore.Subscriptions;
using HotChocolate.Execution;
using HotChocolate.Execution.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HotChocolate.AspNetCore;

/// <summary>
/// One client of the graphql-transport-ws protocol (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md). One loop reads messages;
/// each operation is a task of its own. A client that does not read holds up its operations, and nothing is queued for it.
/// </summary>
sealed class SocketSession : ISocketSession, ISocketConnection, IOperationManager, IDisposable
{
    const int MaxReasonBytes = 123;
    static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    readonly WebSocket _socket;
    readonly GraphQLSocketOptions _options;
    readonly RequestExecutor _executor;
    readonly ISocketSessionInterceptor _interceptor;
    readonly TimeProvider _time;
    readonly int _maxMessageBytes;
    readonly ConcurrentDictionary<string, SocketOperation> _operations = new(StringComparer.Ordinal);
    readonly SemaphoreSlim _sending = new(1, 1);
    bool _isAcknowledged;
    bool _isClosing;

    SocketSession(HttpContext context, WebSocket socket, GraphQLSocketOptions options)
    {
        HttpContext = context;
        _socket = socket;
        _options = options;
        _executor = context.RequestServices.GetRequiredService<RequestExecutor>();
        _interceptor = context.RequestServices.GetRequiredService<ISocketSessionInterceptor>();
        _time = context.RequestServices.GetRequiredService<TimeProvider>();
        _maxMessageBytes = context.RequestServices.GetRequiredService<SchemaSetup>().MaxRequestSize;
    }

    public HttpContext HttpContext { get; }

    public CancellationToken RequestAborted => HttpContext.RequestAborted;

    ISocketConnection ISocketSession.Connection => this;

    IOperationManager ISocketSession.Operations => this;

    public IEnumerator<IOperationSession> GetEnumerator() => _operations.Values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Returns when the client left, broke the protocol, or the server stops.</summary>
    public static async Task RunAsync(HttpContext context, GraphQLSocketOptions options)
    {
        if (!context.WebSockets.WebSocketRequestedProtocols.Contains(SocketMessages.Protocol))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync($"The WebSocket protocol must be {SocketMessages.Protocol}.");
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync(SocketMessages.Protocol);
        using var session = new SocketSession(context, socket, options);
        await session.RunAsync(context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);
    }

    async Task RunAsync(CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(RequestAborted);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping, end.Token);
        // the clocks first: they must run when the client gets its first answer
        Task[] clocks = [WatchIntroductionAsync(end.Token), PingAsync(end.Token), Task.Delay(Timeout.InfiniteTimeSpan, _time, stop.Token)];
        var receiving = ReceiveAsync(end.Token);
        Task[] parts = [.. clocks, receiving];
        var first = await Task.WhenAny(parts);
        foreach (var operation in _operations.Values) operation.Cancel();
        // before anything is cancelled: a read that is cancelled breaks the connection, and the client would not learn why
        await CloseAsync(first, receiving, stopping.IsCancellationRequested);
        await end.CancelAsync();
        await Task.WhenAll([.. parts, .. _operations.Values.Select(o => o.Task)]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _sending.Dispose();

    async Task WatchIntroductionAsync(CancellationToken token)
    {
        await Task.Delay(_options.ConnectionInitializationTimeout, _time, token);
        if (!_isAcknowledged) throw new SocketClosedException(SocketMessages.InitialisationTimeout, "Connection initialisation timeout");
        await Task.Delay(Timeout.InfiniteTimeSpan, _time, token);
    }

    async Task PingAsync(CancellationToken token)
    {
        using var timer = new PeriodicTimer(_options.KeepAliveInterval ?? Timeout.InfiniteTimeSpan, _time);
        while (await timer.WaitForNextTickAsync(token))
        {
            if (_isAcknowledged) await SendAsync(SocketMessages.Ping, token);
        }
    }

    async Task ReceiveAsync(CancellationToken token)
    {
        using var message = new MemoryStream();
        var buffer = new byte[8 * 1024];
        while (true)
        {
            message.SetLength(0);
            ValueWebSocketReceiveResult part;
            do
            {
                part = await _socket.ReceiveAsync(buffer.AsMemory(), token);
                message.Write(buffer, 0, part.Count);
                if (message.Length > _maxMessageBytes) throw new SocketClosedException((int)WebSocketCloseStatus.MessageTooBig, $"A message may have at most {_maxMessageBytes} bytes.");
            }
            while (!part.EndOfMessage);

            if (part.MessageType == WebSocketMessageType.Close) return;
            if (_isClosing) continue;
            await AnswerAsync(SocketMessages.Read(message.GetBuffer().AsMemory(0, (int)message.Length)), token);
        }
    }

    async Task AnswerAsync(SocketMessage message, CancellationToken token)
    {
        switch (message.Type)
        {
            case "connection_init":
                await InitialiseAsync(message, token);
                break;
            case "ping":
                await SendAsync(SocketMessages.Pong, token);
                break;
            case "pong":
                break;
            case "subscribe":
                await SubscribeAsync(message, token);
                break;
            case "complete":
                if (message.Id is { } id && _operations.TryRemove(id, out var operation)) operation.Cancel();
                break;
            default:
                throw SocketMessages.Invalid("There is no such type of message.");
        }
    }

    async Task InitialiseAsync(SocketMessage message, CancellationToken token)
    {
        if (_isAcknowledged) throw new SocketClosedException(SocketMessages.TooManyInitialisations, "Too many initialisation requests");
        var status = await _interceptor.OnConnectAsync(this, new Payload(message.Payload), token);
        if (!status.Accepted) throw new SocketClosedException(SocketMessages.Forbidden, status.Message ?? "Forbidden");
        _isAcknowledged = true;
        await SendAsync(SocketMessages.Acknowledge, token);
    }

    async Task SubscribeAsync(SocketMessage message, CancellationToken token)
    {
        if (!_isAcknowledged) throw new SocketClosedException(SocketMessages.Unauthorized, "Unauthorized");
        if (message.Id is not { Length: > 0 } id) throw SocketMessages.Invalid("'id' must be given.");
        if (_operations.ContainsKey(id)) throw new SocketClosedException(SocketMessages.SubscriberExists, $"Subscriber for {id} already exists");
        try
        {
            var request = RequestReader.Read(message.Payload ?? throw SocketMessages.Invalid("'payload' must be given."));
            await _interceptor.OnRequestAsync(this, id, new(), token);
            var operation = new SocketOperation(id);
            _operations[id] = operation;
            operation.Start(request, _executor, HttpContext.RequestServices, bytes => SendAsync(bytes, token), () => _operations.TryRemove(KeyValuePair.Create(id, operation)));
        }
        catch (BadRequestException exception)
        {
            throw SocketMessages.Invalid(exception.Message);
        }
        catch (GraphQLException exception)
        {
            await SendAsync(SocketMessages.Error(id, _executor.Fail(exception).Errors), token);
        }
    }

    async Task SendAsync(byte[] message, CancellationToken token)
    {
        await _sending.WaitAsync(token);
        try
        {
            await _socket.SendAsync(message.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, token);
        }
        finally
        {
            _sending.Release();
        }
    }

    async Task CloseAsync(Task ended, Task receiving, bool isStopping)
    {
        if (_socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        var (code, reason) = ended.Exception?.InnerException is SocketClosedException closed ? (closed.Code, closed.Message)
            : isStopping ? ((int)WebSocketCloseStatus.EndpointUnavailable, "The server stops")
            : ((int)WebSocketCloseStatus.NormalClosure, "");
        while (Encoding.UTF8.GetByteCount(reason) > MaxReasonBytes) reason = reason[..^1];
        _isClosing = true;
        using var deadline = new CancellationTokenSource(CloseTimeout, TimeProvider.System);
        await _socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await AwaitAnswerAsync(receiving, deadline.Token);
    }

    // A connection that is cut while the client has something to say is reset, and takes the close message with it.
    async Task AwaitAnswerAsync(Task receiving, CancellationToken token)
    {
        await receiving.WaitAsync(token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var buffer = new byte[1024];
        try
        {
            while (receiving.IsCompleted && _socket.State == WebSocketState.CloseSent) await _socket.ReceiveAsync(buffer.AsMemory(), token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException)
        {
            // the client is gone, or does not answer
        }
    }
}
