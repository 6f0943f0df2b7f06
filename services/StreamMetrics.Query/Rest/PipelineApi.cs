using Microsoft.AspNetCore.Http.HttpResults;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Pipeline;

namespace StreamMetrics.Query.Rest;

/// <summary>How the pipeline is doing.</summary>
static class PipelineApi
{
    public static RouteGroupBuilder MapPipeline(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapApiGroup("/pipeline", "Pipeline");
        group.MapGet("/", Pipeline).WithName("getPipeline")
            .WithSummary("Lag, throughput and state of every input partition.")
            .WithDescription("Gathered about once a second, so asking more often costs nothing and tells nothing new.");
        return group;
    }

    static Ok<PipelineAnswer> Pipeline(HttpRequest request, PipelineState state)
    {
        new ParameterReader(request.Query).ThrowIfInvalid();
        return TypedResults.Ok(state.Current);
    }
}
