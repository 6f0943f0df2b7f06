using HotChocolate;
using HotChocolate.AspNetCore;
using HotChocolate.AspNetCore.Subscriptions;
using HotChocolate.Execution;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace StreamMetrics.Query.GraphQL;

/// <summary>Operations over one WebSocket connection count as requests do, and only so many may run at a time.</summary>
sealed class SocketLimits(IOptions<QueryOptions> query, IOptions<RateLimiterOptions> rates) : DefaultSocketSessionInterceptor
{
    public override ValueTask OnRequestAsync(
        ISocketSession session, string operationSessionId, OperationRequestBuilder requestBuilder, CancellationToken cancellationToken = default)
    {
        var max = query.Value.MaxSubscriptions;
        if (session.Operations.Count() >= max) throw Refused($"A connection may have at most {max} operations at a time.", "TOO_MANY_OPERATIONS");
        using var lease = rates.Value.GlobalLimiter?.AttemptAcquire(session.Connection.HttpContext);
        if (lease is { IsAcquired: false }) throw Refused($"A client may send at most {query.Value.RequestsPerSecond} requests a second.", "TOO_MANY_REQUESTS");
        return default;
    }

    static GraphQLException Refused(string message, string code) => new(ErrorBuilder.New().SetMessage(message).SetCode(code).Build());
}
