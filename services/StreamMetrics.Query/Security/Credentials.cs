using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Extensions;

namespace StreamMetrics.Query.Security;

/// <summary>Where a request carries what it may be let in for.</summary>
static class Credentials
{
    public const string KeyHeader = "X-Api-Key";

    /// <summary>Where a browser puts it for Server-Sent Events and WebSocket, for which it lets nobody set headers (RFC 6750, 2.3).</summary>
    public const string QueryParameter = "access_token";

    const string Taken = "StreamMetrics.AccessToken";

    /// <summary>
    /// Takes <c>access_token</c> out of the query string of a live stream, so that nothing behind reads it as a parameter or writes it down.
    /// </summary>
    public static void TakeFromQuery(HttpRequest request)
    {
        if (!IsStream(request) || !request.Query.TryGetValue(QueryParameter, out var token)) return;
        request.HttpContext.Items[Taken] = token.ToString();
        request.QueryString = new QueryBuilder(request.Query.Where(p => p.Key != QueryParameter)).ToQueryString();
    }

    /// <summary>What <see cref="TakeFromQuery"/> took; null when there was none.</summary>
    public static string? QueryToken(HttpRequest request) => request.HttpContext.Items[Taken] as string;

    /// <summary>The API key that a request carries; null when it carries none.</summary>
    public static string? Key(HttpRequest request) => request.Headers.TryGetValue(KeyHeader, out var key) ? key.ToString() : QueryToken(request);

    /// <summary>Whether a request carries one of the keys. All of them are compared, by hash, so that the time it takes tells nothing about them.</summary>
    public static bool IsKnown(HttpRequest request, IReadOnlyList<byte[]> hashes)
    {
        if (Key(request) is not { } key) return false;
        var given = Hash(key);
        var isKnown = false;
        foreach (var hash in hashes) isKnown |= CryptographicOperations.FixedTimeEquals(hash, given);
        return isKnown;
    }

    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    static bool IsStream(HttpRequest request) =>
        request.Path.StartsWithSegments("/api/v1/stream") || request.HttpContext.WebSockets.IsWebSocketRequest
        || (request.Path.StartsWithSegments("/graphql") && request.Headers.Accept.Any(a => a?.Contains("text/event-stream", StringComparison.Ordinal) == true));
}
