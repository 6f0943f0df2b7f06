using System.ComponentModel;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Rest;

/// <summary>What there is: services and their metrics.</summary>
static class ServicesApi
{
    public static RouteGroupBuilder MapServices(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapApiGroup("/services", "Services");
        group.MapGet("/", Services).WithName("listServices").WithSummary("Lists the services that sent events.");
        group.MapGet("/{serviceId}", Service).WithName("getService").WithSummary("Describes one service.").ProducesProblem(404);
        group.MapGet("/{serviceId}/metrics", Metrics).WithName("listMetrics").WithSummary("Lists the metrics of a service.").ProducesProblem(404);
        return group;
    }

    static async Task<Ok<ServicesAnswer>> Services(HttpRequest request, MetricQueryService queries, CancellationToken token)
    {
        new ParameterReader(request.Query).ThrowIfInvalid();
        return TypedResults.Ok(await queries.ServicesAsync(token));
    }

    static async Task<Ok<ServiceAnswer>> Service([Description("The service."), FromRoute] string serviceId, HttpRequest request, MetricQueryService queries, CancellationToken token) =>
        TypedResults.Ok(await queries.ServiceAsync(RequestParser.Service(new(request.Query), serviceId), token));

    static async Task<Ok<MetricsAnswer>> Metrics([Description("The service."), FromRoute] string serviceId, HttpRequest request, MetricQueryService queries, CancellationToken token) =>
        TypedResults.Ok(await queries.MetricsAsync(RequestParser.Service(new(request.Query), serviceId), token));
}
