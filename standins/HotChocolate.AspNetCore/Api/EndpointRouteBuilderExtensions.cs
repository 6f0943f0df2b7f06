using HotChocolate.AspNetCore;
using Microsoft.AspNetCore.Routing;

namespace Microsoft.AspNetCore.Builder;

public static class EndpointRouteBuilderExtensions
{
    public static GraphQLEndpointConventionBuilder MapGraphQL(this IEndpointRouteBuilder endpointRouteBuilder, string path = "/graphql", string? schemaName = null)
    {
        if (schemaName is not null) throw HotChocolate.Unsupported.Of("more than one schema");
        return new(endpointRouteBuilder.Map(path, GraphQLEndpoint.HandleAsync).WithDisplayName("GraphQL"));
    }

    public static GraphQLEndpointConventionBuilder WithOptions(this GraphQLEndpointConventionBuilder builder, GraphQLServerOptions serverOptions) =>
        builder.WithMetadata(serverOptions);
}

public sealed class GraphQLEndpointConventionBuilder : IEndpointConventionBuilder
{
    readonly IEndpointConventionBuilder _builder;

    internal GraphQLEndpointConventionBuilder(IEndpointConventionBuilder builder) => _builder = builder;

    public void Add(Action<EndpointBuilder> convention) => _builder.Add(convention);
}
