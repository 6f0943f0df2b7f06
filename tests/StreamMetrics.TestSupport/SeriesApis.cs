using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace StreamMetrics.TestSupport;

/// <summary>A question for the points of a metric, with their sketches, to whichever API.</summary>
/// <param name="Service">The service.</param>
/// <param name="Metric">The metric.</param>
/// <param name="Window">The window's name.</param>
/// <param name="From">First instant, ms since the epoch.</param>
/// <param name="To">End, exclusive.</param>
/// <param name="Tags">Tags that a series must have; none for the total.</param>
sealed record SeriesQuestion(string Service, string Metric, string Window, long From, long To, IReadOnlyDictionary<string, string> Tags)
{
    /// <summary>Length of a point; null for the window's.</summary>
    public string? Step { get; init; }

    /// <summary>One series for each value of this tag; null for one series.</summary>
    public string? GroupBy { get; init; }

    /// <summary>Percentiles beside the fixed three.</summary>
    public IReadOnlyList<double> Percentiles { get; init; } = [];
}

/// <summary>An API that answers questions for points.</summary>
interface ISeriesApi
{
    /// <summary>What a difference is reported with.</summary>
    string Name { get; }

    /// <summary>The answer's series, in the form that REST has.</summary>
    Task<JsonElement> SeriesAsync(SeriesQuestion question);
}

/// <summary>The REST API.</summary>
sealed class RestSeries(HttpClient http) : ISeriesApi
{
    public string Name => "REST";

    public async Task<JsonElement> SeriesAsync(SeriesQuestion question)
    {
        var path = $"/api/v1/services/{question.Service}/metrics/{Uri.EscapeDataString(question.Metric)}/series?window={question.Window}&from={Text(question.From)}&to={Text(question.To)}&include=sketch"
            + (question.Step is null ? "" : $"&step={question.Step}")
            + (question.GroupBy is null ? "" : $"&groupBy={Uri.EscapeDataString(question.GroupBy)}")
            + (question.Percentiles.Count == 0 ? "" : $"&percentiles={string.Join(',', question.Percentiles.Select(p => p.ToString(CultureInfo.InvariantCulture)))}")
            + string.Concat(question.Tags.Select(t => $"&tags.{Uri.EscapeDataString(t.Key)}={Uri.EscapeDataString(t.Value)}"));
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative));
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {body}");
        return JsonDocument.Parse(body).RootElement.GetProperty("series");
    }

    static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The GraphQL API.</summary>
sealed class GraphQLSeries(HttpClient http) : ISeriesApi
{
    // Every field that a REST point has.
    const string Document = """
        query Points($serviceId: String!, $metricName: String!, $window: String!, $from: String, $to: String, $step: String, $groupBy: [String!], $percentiles: [Float!], $tags: [TagInput!]) {
          series(serviceId: $serviceId, metricName: $metricName, window: $window, from: $from, to: $to, step: $step, groupBy: $groupBy, percentiles: $percentiles, tags: $tags, sketch: true) {
            series {
              tags { key value }
              points {
                serviceId metricName metricType unit scope tags { key value } window start end kind count sum avg min max p50 p95 p99 percentiles { percentile value } rate last lastTime errors
                exemplar { traceId spanId value time } maxRelativeError late partition asOfOffset asOf source final revision sketch
              }
            }
          }
        }
        """;

    public string Name => "GraphQL";

    public async Task<JsonElement> SeriesAsync(SeriesQuestion question)
    {
        var variables = new
        {
            serviceId = question.Service, metricName = question.Metric, window = question.Window, step = question.Step, percentiles = question.Percentiles,
            from = question.From.ToString(CultureInfo.InvariantCulture), to = question.To.ToString(CultureInfo.InvariantCulture),
            groupBy = question.GroupBy is null ? null : new[] { question.GroupBy }, tags = question.Tags.Select(t => new { key = t.Key, value = t.Value }),
        };
        using var response = await http.PostAsJsonAsync(new Uri("/graphql", UriKind.Relative), new { query = Document, variables });
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"/graphql: {(int)response.StatusCode} {body}");
        var answer = JsonNode.Parse(body)!;
        Assert.True(answer["errors"] is null, body);
        var series = answer["data"]!["series"]!["series"]!.AsArray();
        foreach (var one in series)
        {
            one!["tags"] = Object(one["tags"]!, "key", "value");
            foreach (var point in one["points"]!.AsArray()) AsRest(point!.AsObject());
        }

        return JsonSerializer.SerializeToElement(series);
    }

    // Lists of pairs are objects there, enumerations lower case, and what is null is left out.
    static void AsRest(JsonObject point)
    {
        point["tags"] = Object(point["tags"]!, "key", "value");
        var percentiles = Object(point["percentiles"]!, "percentile", "value");
        point["percentiles"] = percentiles.Count == 0 ? null : percentiles;
        foreach (var name in new[] { "scope", "kind", "source" }) point[name] = point[name]!.GetValue<string>().ToLowerInvariant();
        RemoveNulls(point);
        if (point["exemplar"] is JsonObject exemplar) RemoveNulls(exemplar);
    }

    static JsonObject Object(JsonNode pairs, string key, string value) => new(pairs.AsArray().Select(p => KeyValuePair.Create(p![key]!.ToString(), p[value]?.DeepClone())));

    static void RemoveNulls(JsonObject value)
    {
        foreach (var name in value.Where(p => p.Value is null).Select(p => p.Key).ToList()) value.Remove(name);
    }
}
