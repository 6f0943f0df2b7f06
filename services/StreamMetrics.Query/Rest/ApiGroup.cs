namespace StreamMetrics.Query.Rest;

/// <summary>What all groups of endpoints share.</summary>
static class ApiGroup
{
    public static RouteGroupBuilder MapApiGroup(this IEndpointRouteBuilder routes, string prefix, string tag)
    {
        var group = routes.MapGroup("/api/v1" + prefix);
        group.WithTags(tag)
            .WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status400BadRequest, typeof(InvalidRequestProblem), ["application/problem+json"]))
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .ProducesRefusals(routes.ServiceProvider);
        return group;
    }

    /// <summary>
    /// A metric's name from a path: names may contain '/', which stands there as %2F, and routing leaves that one as it is.
    /// </summary>
    public static string UnescapeSlash(string routeValue) => routeValue.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
