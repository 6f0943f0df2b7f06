using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using StreamMetrics.Query.Security;

namespace StreamMetrics.Query.Rest;

/// <summary>The OpenAPI document: what the service is, and what this one wants to see of who asks.</summary>
static class ApiDocument
{
    const string ApiKey = "apiKey";
    const string Bearer = "bearer";
    const string AccessToken = "accessToken";

    public static IServiceCollection AddApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", openApi => openApi.AddDocumentTransformer((document, context, _) =>
    {
        document.Info.Title = "StreamMetrics query API";
        document.Info.Version = "v1";
        document.Info.Description =
            "Windowed aggregates of metrics: live from Redis, final from PostgreSQL. Each answer says where it comes from, whether it is final, "
            + "which revision it is and how exact its percentiles are. Times are ms since the epoch.";
        AddSecurity(document, Query(context.ApplicationServices), Jwt(context.ApplicationServices));
        return Task.CompletedTask;
    }));

    /// <summary>The refusals that every endpoint of a group may answer with, as the service is configured.</summary>
    public static RouteGroupBuilder ProducesRefusals(this RouteGroupBuilder group, IServiceProvider services)
    {
        var query = Query(services);
        var jwt = Jwt(services);
        if (query.ApiKeys.Count > 0 || jwt.IsConfigured) group.ProducesProblem(StatusCodes.Status401Unauthorized);
        if (jwt is { IsConfigured: true, RequiredScope: not null }) group.ProducesProblem(StatusCodes.Status403Forbidden);
        if (query.RequestsPerSecond > 0) group.ProducesProblem(StatusCodes.Status429TooManyRequests);
        return group;
    }

    static void AddSecurity(OpenApiDocument document, QueryOptions query, JwtOptions jwt)
    {
        var schemes = new Dictionary<string, IOpenApiSecurityScheme>();
        if (query.ApiKeys.Count > 0)
            schemes[ApiKey] = new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = Credentials.KeyHeader, Description = "One of the configured API keys." };
        if (jwt.IsConfigured)
        {
            var scope = jwt.RequiredScope is null ? "" : $", with the scope '{jwt.RequiredScope}'";
            schemes[Bearer] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", BearerFormat = "JWT", Description = $"A token for the audience '{jwt.Audience}'{scope}." };
        }

        if (schemes.Count == 0) return;
        var general = schemes.Keys.ToList();
        schemes[AccessToken] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Query, Name = Credentials.QueryParameter,
            Description = "A key or a token, for browsers, which cannot set headers of live streams.",
        };
        document.Components ??= new();
        document.Components.SecuritySchemes = schemes;
        // Requirements in a list are alternatives.
        document.Security = [.. general.Select(Requirement)];
        if (document.Paths["/api/v1/stream"].Operations is { } live)
        {
            foreach (var operation in live.Values) operation.Security = [.. schemes.Keys.Select(Requirement)];
        }

        OpenApiSecurityRequirement Requirement(string scheme) => new() { [new OpenApiSecuritySchemeReference(scheme, document)] = [] };
    }

    static QueryOptions Query(IServiceProvider services) => services.GetRequiredService<IOptions<QueryOptions>>().Value;

    static JwtOptions Jwt(IServiceProvider services) => services.GetRequiredService<IOptions<JwtOptions>>().Value;
}
