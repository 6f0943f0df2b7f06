using Microsoft.Extensions.Options;

namespace StreamMetrics.Query.Security;

/// <summary>
/// Which browser pages may use the API: those of its own origin and of <see cref="QueryOptions.AllowedOrigins"/>. Browsers ask for HTTP (CORS);
/// for a WebSocket they do not, so the service itself refuses pages from elsewhere.
/// </summary>
static class CrossOrigin
{
    const string AnyOrigin = "*";

    public static void AddCrossOrigin(this IServiceCollection services)
    {
        services.AddCors();
        services.AddOptions<Microsoft.AspNetCore.Cors.Infrastructure.CorsOptions>().Configure<IOptions<QueryOptions>>((cors, query) => cors.AddDefaultPolicy(policy =>
        {
            if (query.Value.AllowedOrigins.Contains(AnyOrigin)) policy.AllowAnyOrigin();
            else policy.WithOrigins([.. query.Value.AllowedOrigins]);
            policy.WithMethods(HttpMethods.Get, HttpMethods.Post).WithHeaders("Authorization", Credentials.KeyHeader, "Content-Type", "Last-Event-ID").WithExposedHeaders("Retry-After", "WWW-Authenticate")
                .SetPreflightMaxAge(TimeSpan.FromHours(1));
        }));
    }

    /// <summary>Why an option is no list of origins; null when it is one.</summary>
    public static string? WhyInvalid(IReadOnlyList<string> origins)
    {
        for (var i = 0; i < origins.Count; i++)
        {
            var isOrigin = Uri.TryCreate(origins[i], UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.GetLeftPart(UriPartial.Authority) == origins[i];
            if (!isOrigin && !(origins[i] == AnyOrigin && origins.Count == 1))
                return $"{QueryOptions.Section}:{nameof(QueryOptions.AllowedOrigins)}:{i} is '{origins[i]}'; it must be an origin such as https://example.com (scheme, host and port in lower case, no slash at the end), or the only one and '*'.";
        }

        return null;
    }

    /// <summary>Whether a page that opens a WebSocket may do so. Programs send no origin.</summary>
    public static bool IsAllowed(HttpRequest request, IReadOnlyList<string> allowed)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0 || allowed.Contains(AnyOrigin) || allowed.Contains(origin, StringComparer.OrdinalIgnoreCase)) return true;
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var page)) return false;
        // A proxy on this machine, such as a development server's, changes the host on the way.
        return string.Equals(page.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase) || (page.IsLoopback && IsLoopback(request.Host.Host));
    }

    static bool IsLoopback(string host) => Uri.TryCreate($"http://{host}", UriKind.Absolute, out var uri) && uri.IsLoopback;
}
