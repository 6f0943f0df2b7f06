using System.Diagnostics.CodeAnalysis;
using HotChocolate;
using StreamMetrics.Contracts;
using StreamMetrics.Query.DeadLetters;
using StreamMetrics.Query.GraphQL.Types;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Model;
using StreamMetrics.Query.Pipeline;

namespace StreamMetrics.Query.GraphQL;

/// <summary>What can be asked: the same questions as by REST, put to the same services.</summary>
[GraphQLName("Query")]
[GraphQLDescription("Windowed aggregates of metrics: live from Redis, final from PostgreSQL. Times are ms since the epoch in answers; in arguments ISO 8601 or ms.")]
[SuppressMessage("Performance", "CA1822", Justification = "The fields of the schema are instance methods.")]
sealed class MetricsQuery
{
    [GraphQLDescription("The services that sent events.")]
    public async Task<ServicesNode?> ServicesAsync(MetricQueryService queries, CancellationToken token) => new(await queries.ServicesAsync(token));

    [GraphQLDescription("One service.")]
    public async Task<ServiceNode?> ServiceAsync(string serviceId, MetricQueryService queries, CancellationToken token) =>
        new(await queries.ServiceAsync(RequestParser.Service(new TextArguments().Reader, serviceId), token));

    [GraphQLDescription("The metrics of a service.")]
    public async Task<MetricsNode?> MetricsAsync(string serviceId, MetricQueryService queries, CancellationToken token) =>
        new(await queries.MetricsAsync(RequestParser.Service(new TextArguments().Reader, serviceId), token));

    [GraphQLDescription("The newest value of a metric. Without tags the total over all series; with tags the merge of the series that carry all of them.")]
    public async Task<AggregateNode?> CurrentAsync(
        string serviceId,
        string metricName,
        MetricQueryService queries,
        [GraphQLDescription("1m-10s (sliding), 1m, 5m, 15m, 1h or 1d.")] string window = WindowNames.OneMinute,
        IReadOnlyList<TagInput>? tags = null,
        [GraphQLDescription("Whether the answer has its quantile sketch.")] bool sketch = false,
        CancellationToken token = default)
    {
        var reader = new TextArguments().Text("window", window).Tags(tags).Include(provisional: false, sketch).Reader;
        return new(await queries.CurrentAsync(RequestParser.Current(reader, serviceId, metricName), token));
    }

    [GraphQLDescription("Points of a metric over time. Without tags and groupBy the total. Points are merged from the stored sketches.")]
    public async Task<SeriesSetNode?> SeriesAsync(
        string serviceId,
        string metricName,
        MetricQueryService queries,
        RequestParser parser,
        [GraphQLDescription("1m-10s (sliding, of the last hour only), 1m, 5m, 15m, 1h or 1d.")] string window = WindowNames.OneMinute,
        [GraphQLDescription("First instant, rounded down to the step; by default 60 steps before 'to', an hour at least.")] string? from = null,
        [GraphQLDescription("End (exclusive); by default now.")] string? to = null,
        [GraphQLDescription("Distance between points and length of each, a multiple of the window: 5m, 1h, 1d or ms; by default the window.")] string? step = null,
        [GraphQLDescription("Tags: one series for each combination of their values.")] IReadOnlyList<string>? groupBy = null,
        [GraphQLDescription("More percentiles beside p50, p95 and p99, from 0 to 100.")] IReadOnlyList<double>? percentiles = null,
        IReadOnlyList<TagInput>? tags = null,
        [GraphQLDescription("Whether the open window is among the points.")] bool provisional = false,
        [GraphQLDescription("Whether the points have their quantile sketches.")] bool sketch = false,
        CancellationToken token = default)
    {
        var reader = new TextArguments().Text("window", window).Text("from", from).Text("to", to).Text("step", step).List("groupBy", groupBy).Percentiles(percentiles)
            .Tags(tags).Include(provisional, sketch).Reader;
        return new(await queries.SeriesAsync(parser.Series(reader, serviceId, metricName), token));
    }

    [GraphQLDescription("The largest current totals over all services.")]
    public async Task<TopNode?> TopAsync(
        MetricQueryService queries,
        RequestParser parser,
        [GraphQLDescription("The metric to compare; by default every one. Needed with by: P99.")] string? metric = null,
        TopOrder by = TopOrder.Rate,
        [GraphQLDescription("1m-10s, 1m, 5m or 15m.")] string window = WindowNames.OneMinute,
        [GraphQLDescription("Most items to return; by default 10.")] int? limit = null,
        CancellationToken token = default)
    {
        var reader = new TextArguments().Text("metric", metric).Text("by", by switch { TopOrder.P99 => "p99", TopOrder.Errors => "errors", _ => "rate" })
            .Text("window", window).Integer("limit", limit).Reader;
        return new(await queries.TopAsync(parser.Top(reader), token));
    }

    [GraphQLDescription("How the pipeline is doing. Gathered about once a second.")]
    public PipelineNode Pipeline(PipelineState state) => new(state.Current);

    [GraphQLDescription("Events that were put aside, the newest first.")]
    public async Task<DeadLettersNode?> DeadLettersAsync(
        DeadLetterService deadLetters,
        [GraphQLDescription("'dead-letter' (invalid) or 'late' (beyond the correction horizon).")] string topic = "dead-letter",
        [GraphQLDescription("Reason code, e.g. invalid-field; by default any.")] string? reason = null,
        [GraphQLDescription("The service, as the record's key has it; by default any.")] string? serviceId = null,
        [GraphQLDescription("Put aside at this time or later.")] string? from = null,
        [GraphQLDescription("Put aside before this time.")] string? to = null,
        [GraphQLDescription("The 'next' of the page before.")] string? before = null,
        [GraphQLDescription("Most items of a page, at most 200; by default 50.")] int? limit = null,
        CancellationToken token = default)
    {
        var reader = new TextArguments().Text("topic", topic).Text("reason", reason).Text("serviceId", serviceId).Text("from", from).Text("to", to)
            .Text("before", before).Integer("limit", limit).Reader;
        return new(await deadLetters.ListAsync(DeadLetterQuery.Read(reader), token));
    }
}
