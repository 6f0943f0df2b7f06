using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace StreamMetrics.Query.Security;

/// <summary>Who may ask, from where, and how often. Health, the documents and the start page are open to all.</summary>
static class ApiSafety
{
    public static IServiceCollection AddApiSafety(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddJwtAuthentication(configuration);
        services.AddCrossOrigin();
        services.AddRateLimiter(_ => { });
        services.AddOptions<Microsoft.AspNetCore.RateLimiting.RateLimiterOptions>().Configure<IOptions<QueryOptions>>((limiter, query) =>
        {
            var perSecond = query.Value.RequestsPerSecond;
            var hasKeys = query.Value.ApiKeys.Count > 0;
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
                perSecond == 0 || !IsApi(context.Request.Path) ? RateLimitPartition.GetNoLimiter("") : RateLimitPartition.GetTokenBucketLimiter(Client(context, hasKeys), _ => Bucket(perSecond)));
            limiter.OnRejected = (rejected, token) => RefuseTooManyAsync(rejected.HttpContext, perSecond);
        });
        return services;
    }

    /// <summary>Before everything that answers; behind what handles exceptions and opens WebSockets.</summary>
    public static WebApplication UseApiSafety(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<QueryOptions>>().Value;
        var jwt = app.Services.GetRequiredService<IOptions<JwtOptions>>().Value;
        app.Use((context, next) =>
        {
            Credentials.TakeFromQuery(context.Request);
            return next(context);
        });
        if (options.AllowedOrigins.Count > 0) app.UseCors();
        app.Use((context, next) => context.WebSockets.IsWebSocketRequest && !CrossOrigin.IsAllowed(context.Request, options.AllowedOrigins) ? RefuseOriginAsync(context) : next(context));
        // Called here and not left to the builder, which would put it in front of what handles exceptions.
        if (jwt.IsConfigured) app.UseAuthentication();
        var keys = options.ApiKeys.Select(Credentials.Hash).ToList();
        if (keys.Count > 0 || jwt.IsConfigured) app.Use((context, next) => IsApi(context.Request.Path) ? AdmitAsync(context, next, keys, jwt) : next(context));
        app.UseRateLimiter();
        return app;
    }

    static bool IsApi(PathString path) => path.StartsWithSegments("/api") || path.StartsWithSegments("/ws") || path.StartsWithSegments("/graphql");

    static async Task AdmitAsync(HttpContext context, RequestDelegate next, List<byte[]> keys, JwtOptions jwt)
    {
        if (Credentials.IsKnown(context.Request, keys))
        {
            await next(context);
            return;
        }

        var (caller, problem) = jwt.IsConfigured ? await JwtAuthentication.AuthenticateAsync(context) : default;
        if (caller is null)
        {
            await RefuseUnknownAsync(context, keys.Count > 0, jwt.IsConfigured, problem);
        }
        else if (jwt.RequiredScope is { } scope && !JwtAuthentication.HasScope(caller, scope))
        {
            context.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"{scope}\"";
            await WriteAsync(context, new() { Status = StatusCodes.Status403Forbidden, Title = "The token does not allow this.", Detail = $"The token must have the scope '{scope}'." });
        }
        else
        {
            context.User = caller;
            await next(context);
        }
    }

    // By the token's subject or the key's hash, so that no key stands in memory for longer than its request. A key that nobody checked says nothing.
    static string Client(HttpContext context, bool hasKeys)
    {
        if (context.User.Identity is { IsAuthenticated: true } && context.User.FindFirstValue("sub") is { } subject) return $"{context.User.FindFirstValue("iss")} {subject}";
        return hasKeys && Credentials.Key(context.Request) is { } key ? Convert.ToHexString(Credentials.Hash(key)) : context.Connection.RemoteIpAddress?.ToString() ?? "";
    }

    static TokenBucketRateLimiterOptions Bucket(int perSecond) => new()
    {
        TokenLimit = perSecond,
        TokensPerPeriod = Math.Max(1, perSecond / 10),
        ReplenishmentPeriod = perSecond < 10 ? TimeSpan.FromSeconds(1.0 / perSecond) : TimeSpan.FromMilliseconds(100),
        QueueLimit = 0,
    };

    static async Task RefuseUnknownAsync(HttpContext context, bool hasKeys, bool hasTokens, string? problem)
    {
        var ways = new List<string>();
        if (hasKeys)
        {
            ways.Add($"the header {Credentials.KeyHeader} must carry one of the configured keys");
            context.Response.Headers.Append(HeaderNames.WWWAuthenticate, $"ApiKey header=\"{Credentials.KeyHeader}\"");
        }

        if (hasTokens)
        {
            ways.Add($"the header Authorization must be 'Bearer' and a valid token{(problem is null ? "" : $" (the one given is not: {problem})")}");
            context.Response.Headers.Append(HeaderNames.WWWAuthenticate, problem is null ? "Bearer" : $"Bearer error=\"invalid_token\", error_description=\"{problem}\"");
        }

        var sentence = string.Join(", or ", ways);
        await WriteAsync(context, new()
        {
            Status = StatusCodes.Status401Unauthorized,
            Title = (hasKeys, hasTokens) switch { (true, false) => "An API key is needed.", (false, true) => "A bearer token is needed.", _ => "An API key or a bearer token is needed." },
            Detail = $"{char.ToUpperInvariant(sentence[0])}{sentence[1..]}; for live streams the parameter {Credentials.QueryParameter} does as well.",
        });
    }

    static Task RefuseOriginAsync(HttpContext context) => WriteAsync(context, new()
    {
        Status = StatusCodes.Status403Forbidden,
        Title = "This page may not open a WebSocket.",
        Detail = $"The header Origin is '{context.Request.Headers.Origin}'; it must be this service's own or one of {QueryOptions.Section}:{nameof(QueryOptions.AllowedOrigins)}.",
    });

    static async ValueTask RefuseTooManyAsync(HttpContext context, int perSecond)
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
