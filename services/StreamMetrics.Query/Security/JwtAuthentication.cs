using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace StreamMetrics.Query.Security;

/// <summary>Bearer tokens (RFC 6750, RFC 7519).</summary>
static class JwtAuthentication
{
    // How far the signer's clock may be off.
    static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);
    static readonly string[] SecretAlgorithms = [SecurityAlgorithms.HmacSha256, SecurityAlgorithms.HmacSha384, SecurityAlgorithms.HmacSha512];
    static readonly string[] PublicAlgorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384,
        SecurityAlgorithms.RsaSsaPssSha512, SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    public static void AddJwtAuthentication(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<JwtOptions>().BindConfiguration(JwtOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<JwtOptions>, JwtOptionsRules>();
        if (!JwtOptions.Of(configuration).IsConfigured) return;
        services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer();
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme).Configure<IOptions<JwtOptions>, TimeProvider>((bearer, options, time) => Configure(bearer, options.Value, time));
    }

    /// <summary>Who sent the request, or why its token does not say so; both null when it carries none.</summary>
    public static async Task<(ClaimsPrincipal? Caller, string? Problem)> AuthenticateAsync(HttpContext context)
    {
        var result = await context.AuthenticateAsync(JwtBearerDefaults.AuthenticationScheme);
        return result.Succeeded ? (result.Principal, null) : (null, result.Failure is { } failure ? Explain(failure) : null);
    }

    /// <summary>Whether the caller may do what a scope stands for.</summary>
    public static bool HasScope(ClaimsPrincipal caller, string scope) =>
        caller.FindAll(c => c.Type is "scope" or "scp").SelectMany(c => c.Value.Split(' ')).Contains(scope, StringComparer.Ordinal);

    static void Configure(JwtBearerOptions bearer, JwtOptions options, TimeProvider time)
    {
        // Claims keep the names that they have in the token.
        bearer.MapInboundClaims = false;
        bearer.Audience = options.Audience;
        if (!string.IsNullOrEmpty(options.Authority))
        {
            bearer.Authority = options.Authority;
            // The options' rules let http through on this machine only.
            bearer.RequireHttpsMetadata = options.Authority.StartsWith("https:", StringComparison.OrdinalIgnoreCase);
        }

        bearer.TokenValidationParameters = new()
        {
            ValidAudience = options.Audience,
            ValidIssuer = options.Issuer,
            ValidateIssuer = !string.IsNullOrEmpty(options.Issuer) || !string.IsNullOrEmpty(options.Authority),
            IssuerSigningKey = !string.IsNullOrEmpty(options.SigningKey) ? new SymmetricSecurityKey(Encoding.UTF8.GetBytes(options.SigningKey))
                : !string.IsNullOrEmpty(options.PublicKeyFile) ? options.ReadPublicKey() : null,
            // A public key must never serve as the secret of a symmetric algorithm.
            ValidAlgorithms = string.IsNullOrEmpty(options.SigningKey) ? PublicAlgorithms : SecretAlgorithms,
            LifetimeValidator = (from, until, _, _) => IsAlive(from, until, time.GetUtcNow().UtcDateTime),
            NameClaimType = "sub",
        };
        bearer.Events = new()
        {
            OnMessageReceived = message =>
            {
                message.Token = Credentials.QueryToken(message.Request);
                return Task.CompletedTask;
            },
        };
    }

    static bool IsAlive(DateTime? from, DateTime? until, DateTime now) => until is not null && now < until + ClockSkew && (from is null || from <= now + ClockSkew);

    static string Explain(Exception failure) => failure switch
    {
        SecurityTokenInvalidLifetimeException or SecurityTokenExpiredException or SecurityTokenNoExpirationException => "it has expired, is not valid yet or has no end",
        SecurityTokenInvalidAudienceException => "it is for another audience",
        SecurityTokenInvalidIssuerException => "it is from another issuer",
        SecurityTokenSignatureKeyNotFoundException or SecurityTokenInvalidSignatureException or SecurityTokenInvalidAlgorithmException => "its signature is not by the configured key",
        _ => "it cannot be read",
    };
}
