using HotChocolate.AspNetCore;

namespace StreamMetrics.Query.GraphQL;

/// <summary>The GraphQL API at <c>/graphql</c>: by POST and GET, subscriptions by WebSocket (graphql-transport-ws) and Server-Sent Events.</summary>
static class GraphQLModule
{
    public const string Path = "/graphql";

    const int MaxRequestBytes = 128 * 1024;

    public static WebApplicationBuilder AddGraphQLApi(this WebApplicationBuilder builder)
    {
        var options = QueryOptions.Of(builder.Configuration);
        builder.Services.AddGraphQLServer(maxAllowedRequestSize: MaxRequestBytes)
            .AddQueryType<MetricsQuery>()
            .AddSubscriptionType<LiveSubscription>()
            .AddErrorFilter(services => new ErrorFilter(services.GetRequiredService<ILogger<ErrorFilter>>()))
            .AddSocketSessionInterceptor<SocketLimits>()
            // the schema is no secret: it is in the repository
            .DisableIntrospection(disable: false)
            .AddMaxExecutionDepthRule(options.MaxGraphQLDepth, skipIntrospectionFields: true)
            .ModifyCostOptions(cost =>
            {
                cost.MaxFieldCost = options.MaxGraphQLFieldCost;
                cost.MaxTypeCost = options.MaxGraphQLTypeCost;
            });
        return builder;
    }

    public static WebApplication MapGraphQLApi(this WebApplication app)
    {
        app.MapGraphQL(Path).WithOptions(new GraphQLServerOptions { Tool = { Enable = false } });
        return app;
    }
}
