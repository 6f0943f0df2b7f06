using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using HotChocolate.AspNetCore.Subscriptions;
using HotChocolate.Execution;
using HotChocolate.Language;

namespace HotChocolate.AspNetCore;

/// <summary>One operation of a WebSocket client, from its subscribe message to complete or error.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The source has no timer and is linked to nothing, so there is nothing to dispose of; who cancels need not know whether it is over.")]
sealed class SocketOperation(string id) : IOperationSession
{
    readonly CancellationTokenSource _end = new();

    public string Id { get; } = id;

    /// <summary>Ends with the operation.</summary>
    public Task Task { get; private set; } = Task.CompletedTask;

    /// <summary>The client wants no more of it, or is gone.</summary>
    public void Cancel() => _end.Cancel();

    public void Start(GraphQLRequest request, RequestExecutor executor, IServiceProvider services, Func<byte[], Task> send, Action ended) =>
        Task = Task.Run(async () =>
        {
            try
            {
                await RunAsync(request, executor, services, send, ended);
            }
            finally
            {
                ended();
            }
        });

    async Task RunAsync(GraphQLRequest request, RequestExecutor executor, IServiceProvider services, Func<byte[], Task> send, Action ended)
    {
        try
        {
            var operation = executor.Prepare(request);
            if (operation.Type == OperationType.Subscription)
            {
                await foreach (var result in executor.SubscribeAsync(operation, services, _end.Token))
                {
                    if (!await SendAsync(result, send, ended)) return;
                }
            }
            else if (!await SendAsync(await executor.ExecuteAsync(operation, services, _end.Token), send, ended))
            {
                return;
            }

            // first free, then told: the client may use the id again at once
            ended();
            if (!_end.IsCancellationRequested) await send(SocketMessages.Complete(Id));
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // nobody wants to hear of it any more
        }
        catch (RequestErrorException exception)
        {
            ended();
            await send(SocketMessages.Error(Id, executor.Refuse(exception).Errors));
        }
        catch (Exception exception) when (exception is not (WebSocketException or OperationCanceledException))
        {
            ended();
            await send(SocketMessages.Error(Id, executor.Fail(exception).Errors));
        }
    }

    // false when the operation is over with it: an answer without data is an error
    async Task<bool> SendAsync(ExecutionResult result, Func<byte[], Task> send, Action ended)
    {
        if (_end.IsCancellationRequested) return false;
        if (!result.HasData) ended();
        await send(result.HasData ? SocketMessages.Next(Id, result) : SocketMessages.Error(Id, result.Errors));
        return result.HasData;
    }
}
