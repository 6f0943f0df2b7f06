using HotChocolate.AspNetCore.Subscriptions;
using HotChocolate.AspNetCore.Subscriptions.Protocols;
using HotChocolate.Execution;
using Microsoft.AspNetCore.Http;

namespace HotChocolate.Execution
{
    /// <summary>A request before it is executed; nothing of it can be changed with the stand-in.</summary>
    public sealed class OperationRequestBuilder;
}

namespace HotChocolate.AspNetCore.Subscriptions.Protocols
{
    /// <summary>What a message carries beside its type.</summary>
    public interface IOperationMessagePayload
    {
        T? As<T>() where T : class;
    }
}

namespace HotChocolate.AspNetCore.Subscriptions
{
    /// <summary>An operation of a connection that is not complete yet.</summary>
    public interface IOperationSession
    {
        string Id { get; }
    }

    public interface IOperationManager : IEnumerable<IOperationSession>;

    public interface ISocketConnection
    {
        HttpContext HttpContext { get; }

        CancellationToken RequestAborted { get; }
    }

    /// <summary>A WebSocket connection and its operations.</summary>
    public interface ISocketSession
    {
        ISocketConnection Connection { get; }

        IOperationManager Operations { get; }
    }

    /// <summary>Whether a client may go on.</summary>
    public sealed class ConnectionStatus
    {
        ConnectionStatus(bool isAccepted, string? message)
        {
            Accepted = isAccepted;
            Message = message;
        }

        public bool Accepted { get; }

        public string? Message { get; }

        public static ConnectionStatus Accept() => new(true, null);

        public static ConnectionStatus Reject(string message) => new(false, message);
    }
}

namespace HotChocolate.AspNetCore
{
    /// <summary>Has a say in what WebSocket clients do.</summary>
    public interface ISocketSessionInterceptor
    {
        ValueTask<ConnectionStatus> OnConnectAsync(ISocketSession session, IOperationMessagePayload connectionInitMessage, CancellationToken cancellationToken = default);

        /// <exception cref="GraphQLException">The operation is refused.</exception>
        ValueTask OnRequestAsync(ISocketSession session, string operationSessionId, OperationRequestBuilder requestBuilder, CancellationToken cancellationToken = default);
    }

    public class DefaultSocketSessionInterceptor : ISocketSessionInterceptor
    {
        public virtual ValueTask<ConnectionStatus> OnConnectAsync(
            ISocketSession session, IOperationMessagePayload connectionInitMessage, CancellationToken cancellationToken = default) => new(ConnectionStatus.Accept());

        public virtual ValueTask OnRequestAsync(
            ISocketSession session, string operationSessionId, OperationRequestBuilder requestBuilder, CancellationToken cancellationToken = default) => default;
    }
}
