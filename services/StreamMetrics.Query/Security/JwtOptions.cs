using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace StreamMetrics.Query.Security;

/// <summary>
/// Section <c>Query:Jwt</c>: who signs the bearer tokens that the API takes. With none of the three sources of keys it takes no tokens.
/// </summary>
sealed class JwtOptions
{
    public const string Section = "Query:Jwt";

    /// <summary>Address of an OpenID provider, whose keys and issuer are read from its discovery document.</summary>
    public string? Authority { get; init; }

    /// <summary>A secret shared with the signer (HS256, HS384, HS512), at least 32 bytes of UTF-8.</summary>
    public string? SigningKey { get; init; }

    /// <summary>A PEM file with the signer's public key, RSA or elliptic curve.</summary>
    public string? PublicKeyFile { get; init; }

    /// <summary>The <c>aud</c> that a token must have.</summary>
    public string? Audience { get; init; }

    /// <summary>The <c>iss</c> that a token must have; with an authority its own by default, otherwise any.</summary>
    public string? Issuer { get; init; }

    /// <summary>The scope (<c>scope</c> or <c>scp</c>) that a token must have; by default none.</summary>
    public string? RequiredScope { get; init; }

    /// <summary>Whether tokens are taken.</summary>
    public bool IsConfigured => Sources.Any(s => !string.IsNullOrEmpty(s));

    /// <summary>The places that keys may come from.</summary>
    public IEnumerable<string?> Sources => [Authority, SigningKey, PublicKeyFile];

    /// <summary>The options as they stand in the configuration, for what has to be decided before there are services.</summary>
    public static JwtOptions Of(IConfiguration configuration) => configuration.GetSection(Section).Get<JwtOptions>() ?? new();

    /// <summary>The key of <see cref="PublicKeyFile"/>.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="ArgumentException">It holds no key.</exception>
    public SecurityKey ReadPublicKey()
    {
        var pem = File.ReadAllText(PublicKeyFile!);
        try
        {
            var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return new RsaSecurityKey(rsa.ExportParameters(includePrivateParameters: false));
        }
        catch (CryptographicException)
        {
            var curve = ECDsa.Create();
            curve.ImportFromPem(pem);
            return new ECDsaSecurityKey(curve);
        }
    }
}

/// <summary>The rules of <see cref="JwtOptions"/>; secrets stay out of the messages.</summary>
sealed class JwtOptionsRules : IValidateOptions<JwtOptions>
{
    const int MinKeyBytes = 32;

    public ValidateOptionsResult Validate(string? name, JwtOptions options)
    {
        var failures = Failures(options).ToList();
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    static IEnumerable<string> Failures(JwtOptions o)
    {
        if (!o.IsConfigured)
        {
            if (o.Audience is not null || o.Issuer is not null || o.RequiredScope is not null)
                yield return $"{JwtOptions.Section} needs one of {nameof(o.Authority)}, {nameof(o.SigningKey)} and {nameof(o.PublicKeyFile)}.";
            yield break;
        }

        if (o.Sources.Count(s => !string.IsNullOrEmpty(s)) > 1) yield return $"{JwtOptions.Section} has more than one of {nameof(o.Authority)}, {nameof(o.SigningKey)} and {nameof(o.PublicKeyFile)}; only one may be set.";
        if (string.IsNullOrEmpty(o.Audience)) yield return $"{Key(nameof(o.Audience))} must be set: a token for another service must not open this one.";
        if (!string.IsNullOrEmpty(o.Authority) && !IsTrustworthy(o.Authority)) yield return $"{Key(nameof(o.Authority))} is '{o.Authority}'; it must be an https address (http only on this machine).";
        if (!string.IsNullOrEmpty(o.SigningKey) && System.Text.Encoding.UTF8.GetByteCount(o.SigningKey) < MinKeyBytes) yield return $"{Key(nameof(o.SigningKey))} must have at least {MinKeyBytes} bytes.";
        if (o.RequiredScope is not null && (o.RequiredScope.Length == 0 || o.RequiredScope.Any(c => c is <= ' ' or > '~' or '"' or '\\')))
            yield return $"{Key(nameof(o.RequiredScope))} is '{o.RequiredScope}'; it must be one scope, without spaces.";
        if (!string.IsNullOrEmpty(o.PublicKeyFile) && WhyUnreadable(o) is { } reason) yield return $"{Key(nameof(o.PublicKeyFile))} is '{o.PublicKeyFile}'; {reason}.";
    }

    static bool IsTrustworthy(string authority) => Uri.TryCreate(authority, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));

    static string? WhyUnreadable(JwtOptions options)
    {
        try
        {
            options.ReadPublicKey();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"it cannot be read: {e.Message.TrimEnd('.')}";
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            return "it must hold one public key in PEM form, RSA or elliptic curve";
        }
    }

    static string Key(string property) => $"{JwtOptions.Section}:{property}";
}
