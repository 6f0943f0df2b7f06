using System.ComponentModel;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Rest;

/// <summary>Values of metrics.</summary>
static class MetricsApi
{
    public static RouteGroupBuilder MapMetrics(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapApiGroup("", "Metrics");
        group.MapGet("/services/{serviceId}/metrics/{metricName}/current", Current).WithName("getCurrent")
            .WithSummary("The newest value of a metric.")
            .WithDescription("Without tags.* the total over all series; with tags.* the merge of the series that carry all of them. Live from Redis, or the newest final window from PostgreSQL.")
            .WithParameters(Parameters.Window, Parameters.Tags, Parameters.Include("sketch"))
            .ProducesProblem(404);
        group.MapGet("/services/{serviceId}/metrics/{metricName}/series", Series).WithName("getSeries")
            .WithSummary("Points of a metric over time.")
            .WithDescription("Without tags.* and groupBy the total. Points are merged from the stored sketches, so any percentile, any group and any step is exact within maxRelativeError.")
            .WithParameters(Parameters.Window, Parameters.From, Parameters.To, Parameters.Step, Parameters.GroupBy, Parameters.Percentiles, Parameters.Tags,
                Parameters.Include("provisional", "sketch"));
        group.MapGet("/top", Top).WithName("getTop")
            .WithSummary("The largest current totals over all services.")
            .WithParameters(Parameters.Metric, Parameters.By, Parameters.Window, Parameters.Limit);
        return group;
    }

    static async Task<Ok<AggregateAnswer>> Current(
        [Description("The service."), FromRoute] string serviceId, [Description("The metric; '/' is written %2F."), FromRoute] string metricName,
        HttpRequest request, MetricQueryService queries, CancellationToken token) =>
        TypedResults.Ok(await queries.CurrentAsync(RequestParser.Current(new(request.Query), serviceId, ApiGroup.UnescapeSlash(metricName)), token));

    static async Task<Ok<SeriesSetAnswer>> Series(
        [Description("The service."), FromRoute] string serviceId, [Description("The metric; '/' is written %2F."), FromRoute] string metricName,
        HttpRequest request, RequestParser parser, MetricQueryService queries, CancellationToken token) =>
        TypedResults.Ok(await queries.SeriesAsync(parser.Series(new(request.Query), serviceId, ApiGroup.UnescapeSlash(metricName)), token));

    static async Task<Ok<TopAnswer>> Top(HttpRequest request, RequestParser parser, MetricQueryService queries, CancellationToken token) =>
        TypedResults.Ok(await queries.TopAsync(parser.Top(new(request.Query)), token));
}
