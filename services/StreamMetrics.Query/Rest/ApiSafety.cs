using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace StreamMetrics.Query.Rest;

/// <summary>Who may ask, and how often. Health, the documents and the start page are open to all.</summary>
static class ApiSafety
{
    public const string KeyHeader = "X-Api-Key";

    public static IServiceCollection AddApiSafety(this IServiceCollection services)
    {
        services.AddRateLimiter(_ => { });
        services.AddOptions<Microsoft.AspNetCore.RateLimiting.RateLimiterOptions>().Configure<IOptions<QueryOptions>>((limiter, query) =>
        {
            var perSecond = query.Value.RequestsPerSecond;
            var hasKeys = query.Value.ApiKeys.Count > 0;
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
                perSecond == 0 || !IsApi(context.Request.Path) ? RateLimitPartition.GetNoLimiter("") : RateLimitPartition.GetTokenBucketLimiter(Client(context, hasKeys), _ => Bucket(perSecond)));
            limiter.OnRejected = (rejected, token) => RefuseAsync(rejected.HttpContext, perSecond);
        });
        return services;
    }

    public static WebApplication UseApiSafety(this WebApplication app)
    {
        var keys = app.Services.GetRequiredService<IOptions<QueryOptions>>().Value.ApiKeys.Select(Hash).ToList();
        if (keys.Count > 0) app.Use((context, next) => IsApi(context.Request.Path) && !IsKnown(context, keys) ? RefuseAsync(context) : next(context));
        app.UseRateLimiter();
        return app;
    }

    static bool IsApi(PathString path) => path.StartsWithSegments("/api") || path.StartsWithSegments("/ws") || path.StartsWithSegments("/graphql");

    // Keys are compared by hash and all of them, so that the time it takes tells nothing about them.
    static bool IsKnown(HttpContext context, List<byte[]> keys)
    {
        var given = Hash(context.Request.Headers[KeyHeader].ToString());
        var isKnown = false;
        foreach (var key in keys) isKnown |= CryptographicOperations.FixedTimeEquals(key, given);
        return isKnown;
    }

    static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    // By the key's hash, so that no key stands in memory for longer than its request. A key that nobody checked says nothing.
    static string Client(HttpContext context, bool hasKeys) => hasKeys && context.Request.Headers.TryGetValue(KeyHeader, out var key)
        ? Convert.ToHexString(Hash(key.ToString()))
        : context.Connection.RemoteIpAddress?.ToString() ?? "";

    static TokenBucketRateLimiterOptions Bucket(int perSecond) => new()
    {
        TokenLimit = perSecond,
        TokensPerPeriod = Math.Max(1, perSecond / 10),
        ReplenishmentPeriod = perSecond < 10 ? TimeSpan.FromSeconds(1.0 / perSecond) : TimeSpan.FromMilliseconds(100),
        QueueLimit = 0,
    };

    static async Task RefuseAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "ApiKey header=\"" + KeyHeader + "\"";
        await WriteAsync(context, new() { Status = StatusCodes.Status401Unauthorized, Title = "An API key is needed.", Detail = $"The header {KeyHeader} must carry one of the configured keys." });
    }

    static async ValueTask RefuseAsync(HttpContext context, int perSecond)
    {
        context.Response.Headers.RetryAfter = "1";
        await WriteAsync(context, new()
        {
            Status = StatusCodes.Status429TooManyRequests,
            Title = "Too many requests.",
            Detail = string.Create(CultureInfo.InvariantCulture, $"A client may send at most {perSecond} requests a second."),
        });
    }

    static async Task WriteAsync(HttpContext context, ProblemDetails problem)
    {
        context.Response.StatusCode = problem.Status!.Value;
        await context.RequestServices.GetRequiredService<IProblemDetailsService>().WriteAsync(new() { HttpContext = context, ProblemDetails = problem });
    }
}
