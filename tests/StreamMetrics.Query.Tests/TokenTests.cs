using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using StreamMetrics.Query.Security;
using StreamMetrics.Query.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests;

/// <summary>Bearer tokens: each source of keys, each way a token can be wrong, and the streams, where a browser cannot set headers.</summary>
[Collection(ServersCollection.Name)]
public sealed class TokenTests(Servers servers)
{
    const string Secret = "a secret of at least thirty-two bytes";
    const string Audience = "streammetrics";
    static readonly DateTimeOffset Now = new(2026, 2, 7, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_token_opens_the_API_and_what_is_wrong_with_another_is_told()
    {
        await using var query = await StartAsync(("Query:Jwt:SigningKey", Secret), ("Query:Jwt:Issuer", "us"));
        var key = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(Secret));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(query, Token(key)));
        foreach (var (token, reason) in new (string?, string)[]
        {
            (null, "'Bearer' and a valid token"),
            ("nonsense", "it cannot be read"),
            (Token(key, audience: "others"), "another audience"),
            (Token(key, issuer: "them"), "another issuer"),
            (Token(key, until: Now.AddMinutes(-2)), "it has expired"),
            (Token(key, from: Now.AddMinutes(2)), "not valid yet"),
            (Token(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(Secret + "!"))), "its signature is not by the configured key"),
            (Token(null), "its signature is not by the configured key"),
        })
        {
            using var response = await GetAsync(query, "/api/v1/services", token);
            var body = await response.Content.ReadAsStringAsync();
            Assert.True(response.StatusCode == HttpStatusCode.Unauthorized && body.Contains(reason, StringComparison.Ordinal), $"{token}: {(int)response.StatusCode} {body}");
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            Assert.Equal("Bearer", Assert.Single(response.Headers.WwwAuthenticate).Scheme);
        }

        // A clock may be a minute off.
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(query, Token(key, from: Now.AddSeconds(50))));
        foreach (var path in (string[])["/", "/health", "/alive", "/openapi/v1.json"]) Assert.Equal(HttpStatusCode.OK, await StatusAsync(query, null, path));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_public_key_in_a_file_is_enough_to_check_tokens_offline(bool isRsa)
    {
        using var folder = new TempFolder("pem");
        using var rsa = RSA.Create(2048);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(folder.Combine("key.pem"), isRsa ? rsa.ExportSubjectPublicKeyInfoPem() : curve.ExportSubjectPublicKeyInfoPem());
        await using var query = await StartAsync(("Query:Jwt:PublicKeyFile", folder.Combine("key.pem")));
        SecurityKey key = isRsa ? new RsaSecurityKey(rsa) : new ECDsaSecurityKey(curve);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(query, Token(key)));
        // The public key as the secret of a symmetric signature.
        var pem = new SymmetricSecurityKey(await File.ReadAllBytesAsync(folder.Combine("key.pem")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(query, Token(pem)));
    }

    [Fact]
    public async Task An_authority_is_asked_for_its_keys()
    {
        using var rsa = RSA.Create(2048);
        var key = new RsaSecurityKey(rsa) { KeyId = "k1" };
        await using var authority = await StartAuthorityAsync(key);
        var address = authority.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        await using var query = await StartAsync(("Query:Jwt:Authority", address));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(query, Token(key, issuer: address)));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(query, Token(key, issuer: "http://127.0.0.1:1")));
        using var other = RSA.Create(2048);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(query, Token(new RsaSecurityKey(other) { KeyId = "k1" }, issuer: address)));
    }

    [Fact]
    public async Task A_token_without_the_scope_is_refused_and_a_key_does_not_need_one()
    {
        await using var query = await StartAsync(("Query:Jwt:SigningKey", Secret), ("Query:Jwt:RequiredScope", "metrics.read"), ("Query:ApiKeys:0", "0123456789abcdef"));
        var key = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(Secret));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(query, Token(key, scope: "other metrics.read")));
        using var response = await GetAsync(query, "/api/v1/services", Token(key, scope: "metrics.reader"));
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("'metrics.read'", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("insufficient_scope", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/api/v1/services", UriKind.Relative));
        request.Headers.Add("X-Api-Key", "0123456789abcdef");
        using var byKey = await query.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, byKey.StatusCode);
        using var nobody = await query.Http.GetAsync(new Uri("/api/v1/services", UriKind.Relative));
        Assert.Equal(["ApiKey", "Bearer"], nobody.Headers.WwwAuthenticate.Select(h => h.Scheme));
    }

    [Fact]
    public async Task Streams_take_the_token_or_key_as_a_parameter_and_nothing_else_does()
    {
        await using var query = await StartAsync(("Query:Jwt:SigningKey", Secret), ("Query:ApiKeys:0", "0123456789abcdef"));
        var token = Token(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(Secret)));
        foreach (var credential in new[] { token, "0123456789abcdef" })
        {
            using var events = await query.Http.GetAsync(
                new Uri($"/api/v1/stream?serviceId=s&metricName=m&access_token={credential}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("text/event-stream", events.Content.Headers.ContentType?.MediaType);
            using var socket = new ClientWebSocket();
            await socket.ConnectAsync(SocketAddress(query, $"?access_token={credential}"), CancellationToken.None);
            Assert.Equal(WebSocketState.Open, socket.State);
            using var elsewhere = await query.Http.GetAsync(new Uri($"/api/v1/services?access_token={credential}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.Unauthorized, elsewhere.StatusCode);
        }

        using var refused = new ClientWebSocket();
        await Assert.ThrowsAsync<WebSocketException>(() => refused.ConnectAsync(SocketAddress(query, "?access_token=wrong"), CancellationToken.None));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(query, null, "/api/v1/stream?serviceId=s&metricName=m&access_token=wrong"));
    }

    [Fact]
    public async Task Callers_with_a_token_have_a_rate_each()
    {
        await using var query = await StartAsync(("Query:Jwt:SigningKey", Secret), ("Query:RequestsPerSecond", "1"));
        var key = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(Secret));
        var statuses = new List<HttpStatusCode>();
        // Another token of the same caller each time.
        for (var i = 0; i < 5; i++) statuses.Add(await StatusAsync(query, Token(key, until: Now.AddMinutes(10 + i)), "/api/v1/pipeline"));
        Assert.Contains(HttpStatusCode.TooManyRequests, statuses);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(query, Token(key, subject: "another"), "/api/v1/pipeline"));
    }

    [Fact]
    public async Task Pages_of_other_origins_use_the_API_only_when_they_are_allowed()
    {
        await using var closed = await QueryHost.StartAsync(servers);
        Assert.Null(await AllowedOriginAsync(closed, "https://dash.example"));
        await using var open = await QueryHost.StartAsync(servers, null, ("Query:AllowedOrigins:0", "https://dash.example"), ("Query:ApiKeys:0", "0123456789abcdef"));
        Assert.Equal("https://dash.example", await AllowedOriginAsync(open, "https://dash.example"));
        Assert.Null(await AllowedOriginAsync(open, "https://evil.example"));
        // A browser must be able to read why it was refused.
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/api/v1/services", UriKind.Relative));
        request.Headers.Add("Origin", "https://dash.example");
        using var refused = await open.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("https://dash.example", Assert.Single(refused.Headers.GetValues("Access-Control-Allow-Origin")));
    }

    [Theory]
    [InlineData("https://evil.example", false)]
    [InlineData("null", false)]
    [InlineData("https://dash.example", true)]
    [InlineData("http://localhost:5173", true)]
    [InlineData(null, true)]
    public async Task A_WebSocket_is_opened_by_pages_of_allowed_origins_only(string? origin, bool isAllowed)
    {
        await using var query = await QueryHost.StartAsync(servers, null, ("Query:AllowedOrigins:0", "https://dash.example"));
        using var socket = new ClientWebSocket();
        if (origin is not null) socket.Options.SetRequestHeader("Origin", origin);
        socket.Options.CollectHttpResponseDetails = true;
        var connect = socket.ConnectAsync(SocketAddress(query, ""), CancellationToken.None);
        if (isAllowed) await connect;
        else await Assert.ThrowsAsync<WebSocketException>(() => connect);
        Assert.Equal(isAllowed ? HttpStatusCode.SwitchingProtocols : HttpStatusCode.Forbidden, socket.HttpStatusCode);
    }

    [Theory]
    [InlineData("Authority", "http://login.example", "must be an https address")]
    [InlineData("Authority", "login", "must be an https address")]
    [InlineData("SigningKey", "short", "at least 32 bytes")]
    [InlineData("PublicKeyFile", "/nowhere/key.pem", "it cannot be read")]
    [InlineData("PublicKeyFile", "{some text}", "must hold one public key in PEM form")]
    [InlineData("Issuer", "us", "needs one of Authority, SigningKey and PublicKeyFile")]
    [InlineData("RequiredScope", "a b", "must be one scope")]
    public void A_wrong_setting_is_told(string key, string value, string expected)
    {
        using var folder = new TempFolder("pem");
        File.WriteAllText(folder.Combine("some text"), "some text");
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Query:Jwt:Audience"] = Audience,
            ["Query:Jwt:SigningKey"] = key == "RequiredScope" ? Secret : null,
            [$"Query:Jwt:{key}"] = value.Replace("{some text}", folder.Combine("some text"), StringComparison.Ordinal),
        }).Build();
        var result = new JwtOptionsRules().Validate(null, JwtOptions.Of(configuration));
        Assert.Contains(expected, result.FailureMessage, StringComparison.Ordinal);
        Assert.Contains("Query:Jwt", result.FailureMessage, StringComparison.Ordinal);
    }

    Task<QueryHost> StartAsync(params (string Key, string Value)[] settings) => QueryHost.StartAsync(servers, new FixedClock(Now), [("Query:Jwt:Audience", Audience), .. settings]);

    static string Token(
        SecurityKey? key, string audience = Audience, string issuer = "us", string subject = "someone", DateTimeOffset? from = null, DateTimeOffset? until = null, string? scope = null) =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Audience = audience,
            Issuer = issuer,
            NotBefore = (from ?? Now.AddMinutes(-5)).UtcDateTime,
            Expires = (until ?? Now.AddMinutes(5)).UtcDateTime,
            Claims = new Dictionary<string, object> { ["sub"] = subject, ["scope"] = scope ?? "" },
            SigningCredentials = key switch
            {
                null => null,
                RsaSecurityKey => new(key, SecurityAlgorithms.RsaSha256),
                ECDsaSecurityKey => new(key, SecurityAlgorithms.EcdsaSha256),
                _ => new(key, SecurityAlgorithms.HmacSha256),
            },
        });

    static async Task<WebApplication> StartAuthorityAsync(RsaSecurityKey key)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var parameters = key.Rsa.ExportParameters(false);
        app.MapGet("/.well-known/openid-configuration", (HttpRequest r) => Results.Text($$"""{"issuer":"http://{{r.Host}}","jwks_uri":"http://{{r.Host}}/keys"}""", "application/json"));
        app.MapGet("/keys", () => Results.Text(
            $$"""{"keys":[{"kty":"RSA","kid":"{{key.KeyId}}","n":"{{Base64UrlEncoder.Encode(parameters.Modulus)}}","e":"{{Base64UrlEncoder.Encode(parameters.Exponent)}}"}]}""", "application/json"));
        await app.StartAsync();
        return app;
    }

    static Uri SocketAddress(QueryHost query, string parameters) => new(new UriBuilder(query.Http.BaseAddress!) { Scheme = "ws", Path = "/ws/v1/stream" }.Uri + parameters);

    static async Task<HttpStatusCode> StatusAsync(QueryHost query, string? token, string path = "/api/v1/services")
    {
        using var response = await GetAsync(query, path, token);
        return response.StatusCode;
    }

    static async Task<HttpResponseMessage> GetAsync(QueryHost query, string path, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await query.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    static async Task<string?> AllowedOriginAsync(QueryHost query, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, new Uri("/api/v1/services", UriKind.Relative));
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "GET");
        request.Headers.Add("Access-Control-Request-Headers", "X-Api-Key");
        using var response = await query.Http.SendAsync(request);
        return response.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? allowed.Single() : null;
    }
}
