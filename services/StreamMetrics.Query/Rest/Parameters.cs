using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Rest;

/// <summary>
/// The query parameters as the OpenAPI document shows them. <see cref="Input.ParameterReader"/> reads them, since it has to name what is
/// wrong with them and binding by type cannot.
/// </summary>
static class Parameters
{
    const string TimeForms = "ISO 8601 (2026-02-07T00:00:00Z) or ms since the epoch";

    public static OpenApiParameter Window { get; } = Query("window", "Window size. 1m-10s is one minute, sliding by ten seconds, of the last hour only.",
        new() { Type = JsonSchemaType.String, Enum = [.. QueryWindow.All.Select(w => (JsonNode)w.Name)], Default = WindowNames.OneMinute });

    public static OpenApiParameter ServiceId { get; } = Query("serviceId", "The service.", Text(), isRequired: true);

    public static OpenApiParameter MetricName { get; } = Query("metricName", "The metric.", Text(), isRequired: true);

    public static OpenApiParameter From { get; } = Query("from", $"First instant (rounded down to the step): {TimeForms}. By default 60 steps before 'to', an hour at least.", Text());

    public static OpenApiParameter To { get; } = Query("to", $"End (exclusive): {TimeForms}. By default now.", Text());

    public static OpenApiParameter Step { get; } = Query("step",
        "Distance between points and length of what each covers, a multiple of the window: 5m, 1h, 1d or milliseconds. By default the window.", Text());

    public static OpenApiParameter GroupBy { get; } = Query("groupBy", "Tags, separated by commas: one series for each combination of their values.", Text());

    public static OpenApiParameter Percentiles { get; } = Query("percentiles", "More percentiles beside p50, p95 and p99: numbers from 0 to 100, separated by commas, e.g. 90,99.9.", Text());

    public static OpenApiParameter Metric { get; } = Query("metric", "The metric to compare; by default every one. Needed with by=p99.", Text());

    public static OpenApiParameter By { get; } = Query("by", "What to order by.",
        new() { Type = JsonSchemaType.String, Enum = [.. new[] { "p99", "rate", "errors" }.Select(o => (JsonNode)o)], Default = "rate" });

    public static OpenApiParameter Topic { get; } = Query("topic", "Which events: invalid ones (dead-letter) or those beyond the correction horizon (late).",
        new() { Type = JsonSchemaType.String, Enum = [.. new[] { "dead-letter", "late" }.Select(t => (JsonNode)t)], Default = "dead-letter" });

    public static OpenApiParameter Reason { get; } = Query("reason", "Reason code, e.g. invalid-field; by default any.", Text());

    public static OpenApiParameter KeyServiceId { get; } = Query("serviceId", "The service, as the record's key has it; by default any.", Text());

    public static OpenApiParameter PutAsideFrom { get; } = Query("from", $"Put aside at this time or later: {TimeForms}.", Text());

    public static OpenApiParameter PutAsideTo { get; } = Query("to", $"Put aside before this time: {TimeForms}.", Text());

    public static OpenApiParameter Before { get; } = Query("before", "The 'next' of the page before.", Text());

    public static OpenApiParameter PageLimit { get; } = Query("limit", "Most items of a page.", new() { Type = JsonSchemaType.Integer, Minimum = "1", Maximum = "200", Default = 50 });

    public static OpenApiParameter Limit { get; } = Query("limit", "Most items to return.", new() { Type = JsonSchemaType.Integer, Minimum = "1", Default = 10 });

    /// <summary><c>tags.*</c>: an object parameter cannot be written with a dot, so it is shown by example.</summary>
    public static OpenApiParameter Tags { get; } = new()
    {
        Name = "tags",
        In = ParameterLocation.Query,
        Description = "Filter: one parameter tags.{key}={value} for each tag that the series must have, e.g. tags.endpoint=/api/v1/payments.",
        Style = ParameterStyle.Form,
        Explode = true,
        Schema = new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalProperties = Text(), Examples = [new JsonObject { ["tags.endpoint"] = "/api/v1/payments" }] },
    };

    public static OpenApiParameter Include(params string[] choices) => Query("include", $"What to add to the answer, separated by commas: {string.Join(", ", choices)}.", Text());

    public static RouteHandlerBuilder WithParameters(this RouteHandlerBuilder endpoint, params OpenApiParameter[] parameters) =>
        endpoint.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters ??= [];
            foreach (var parameter in parameters) operation.Parameters.Add(parameter);
            return Task.CompletedTask;
        });

    static OpenApiSchema Text() => new() { Type = JsonSchemaType.String };

    static OpenApiParameter Query(string name, string description, OpenApiSchema schema, bool isRequired = false) =>
        new() { Name = name, In = ParameterLocation.Query, Description = description, Schema = schema, Required = isRequired };
}
