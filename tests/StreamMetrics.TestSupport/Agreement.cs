using System.Globalization;
using System.Text.Json;
using Npgsql;
using StreamMetrics.Sketches;
using Xunit;

namespace StreamMetrics.TestSupport;

/// <summary>
/// Compares what the API of a running system answers with what plain SQL and a merge of the stored sketches give: counts exactly, sketches byte for
/// byte, sums of one stored window to the bit, those of several to the last digit, percentiles with those of the merged sketch.
/// </summary>
/// <param name="query">Address of the query service.</param>
/// <param name="database">Connection string of its database.</param>
public sealed class Agreement(Uri query, string database) : IAsyncDisposable
{
    const long Step = 300_000;

    // A window is final some seconds after its end, and a moment later it is in both stores.
    static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);
    static readonly double[] Percentiles = [50, 90, 99, 99.9];

    readonly HttpClient _http = new() { BaseAddress = query, Timeout = TimeSpan.FromSeconds(30) };
    readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(database);

    sealed record Row(string Service, string Metric, string Window, long Start, bool IsTotal, Dictionary<string, string> Tags, long Count, double Sum, long Revision, byte[] Sketch);

    /// <summary>Compares single windows.</summary>
    /// <param name="samples">How many, chosen at random.</param>
    /// <returns>How many were compared.</returns>
    public async Task<int> CheckWindowsAsync(int samples)
    {
        // A series without tags cannot be asked for by its tags.
        var chosen = await RowsAsync($"{IsSettled} AND (scope = 'total' OR tags <> '{{}}') ORDER BY random() LIMIT {samples.ToString(CultureInfo.InvariantCulture)}");
        foreach (var row in chosen) await CheckAsync($"{row.Service} {row.Metric} {row.Window} {row.Start} {JsonSerializer.Serialize(row.Tags)}", () => CheckWindowAsync(row));
        return chosen.Count;
    }

    /// <summary>Compares series grouped by a tag, in steps of five minutes.</summary>
    /// <param name="samples">How many metrics, chosen at random.</param>
    /// <returns>How many points were compared.</returns>
    public async Task<int> CheckGroupsAsync(int samples)
    {
        var to = (TimeProvider.System.GetUtcNow() - Settled).ToUnixTimeMilliseconds() / Step * Step;
        var from = to - (3 * Step);
        var rows = await RowsAsync(Span("5m", from, to));
        var metrics = rows.Where(r => r.Tags.Count > 0).Select(r => (r.Service, r.Metric)).Distinct().OrderBy(_ => Random.Shared.Next()).Take(samples).ToList();
        var points = 0;
        foreach (var (service, metric) in metrics)
        {
            var key = rows.First(r => r.Service == service && r.Metric == metric && r.Tags.Count > 0).Tags.Keys.OrderBy(_ => Random.Shared.Next()).First();
            await CheckAsync($"{service} {metric} by {key}, {from} to {to}", async () => points += await CheckGroupAsync(service, metric, key, from, to));
        }

        return points;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _source.DisposeAsync();
    }

    const string IsSettled = "timestamp + CASE window_size WHEN '1m' THEN interval '1 min' WHEN '5m' THEN interval '5 min' ELSE interval '15 min' END < now() - interval '30 s'";

    // A correction may come between the two readings; what stays different is wrong.
    static Task CheckAsync(string what, Func<Task> check) => Eventually.AssertAsync(what, check, TimeSpan.FromSeconds(15));

    async Task CheckWindowAsync(Row sample)
    {
        var tags = Literal(JsonSerializer.Serialize(sample.Tags));
        var rows = await RowsAsync(
            $"service_id = {Literal(sample.Service)} AND metric_name = {Literal(sample.Metric)} AND window_size = '{sample.Window}' AND timestamp = to_timestamp({Text(sample.Start / 1000)}) AND "
            + (sample.IsTotal ? "scope = 'total'" : $"scope = 'series' AND tags @> {tags}"));
        var answer = await GetAsync(sample.Service, sample.Metric,
            $"window={sample.Window}&from={Text(sample.Start)}&to={Text(sample.Start + 1)}&include=sketch{string.Concat(sample.Tags.Select(t => $"&tags.{Uri.EscapeDataString(t.Key)}={Uri.EscapeDataString(t.Value)}"))}");
        var point = Assert.Single(Assert.Single(answer.GetProperty("series").EnumerateArray()).GetProperty("points").EnumerateArray());
        AssertEqual(rows, point, []);
        Assert.Equal(rows.Sum(r => r.Revision), point.GetProperty("revision").GetInt64());
    }

    async Task<int> CheckGroupAsync(string service, string metric, string key, long from, long to)
    {
        var rows = await RowsAsync($"service_id = {Literal(service)} AND metric_name = {Literal(metric)} AND {Span("5m", from, to)}");
        var minutes = await RowsAsync($"service_id = {Literal(service)} AND metric_name = {Literal(metric)} AND {Span("1m", from, to)}");
        var percentiles = string.Join(',', Percentiles.Select(p => p.ToString(CultureInfo.InvariantCulture)));
        var answer = await GetAsync(service, metric, $"window=1m&step=5m&from={Text(from)}&to={Text(to)}&groupBy={Uri.EscapeDataString(key)}&percentiles={percentiles}&include=sketch");
        var expected = rows.ToLookup(r => (r.Tags.GetValueOrDefault(key), r.Start));
        var parts = minutes.ToLookup(r => (r.Tags.GetValueOrDefault(key), r.Start / Step * Step));
        var found = 0;
        foreach (var series in answer.GetProperty("series").EnumerateArray())
        {
            var value = series.GetProperty("tags").TryGetProperty(key, out var text) ? text.GetString() : null;
            foreach (var point in series.GetProperty("points").EnumerateArray())
            {
                var start = point.GetProperty("start").GetInt64();
                AssertEqual([.. expected[(value, start)]], point, Percentiles);
                // The same of the one-minute windows, but for the rounding of their sums.
                Assert.Equal(Merge(parts[(value, start)]).ToArray(), point.GetProperty("sketch").GetBytesFromBase64());
                var sum = parts[(value, start)].Sum(r => r.Sum);
                Assert.InRange(point.GetProperty("sum").GetDouble(), sum - (Math.Abs(sum) * 1e-12), sum + (Math.Abs(sum) * 1e-12));
                found++;
            }
        }

        Assert.Equal(expected.Count, found);
        return found;
    }

    static void AssertEqual(IReadOnlyList<Row> rows, JsonElement point, IReadOnlyList<double> percentiles)
    {
        var sketch = Merge(rows);
        Assert.Equal(rows.Sum(r => r.Count), point.GetProperty("count").GetInt64());
        Assert.Equal(sketch.ToArray(), point.GetProperty("sketch").GetBytesFromBase64());
        var sum = point.GetProperty("sum").GetDouble();
        if (rows.Count == 1) Assert.Equal(rows[0].Sum, sum);
        else Assert.InRange(sum, Near(rows, -1), Near(rows, 1));
        foreach (var (name, quantile) in new[] { ("p50", 0.5), ("p95", 0.95), ("p99", 0.99) }) Assert.Equal(sketch.Quantile(quantile), point.GetProperty(name).GetDouble());
        foreach (var p in percentiles) Assert.Equal(sketch.Quantile(p / 100), point.GetProperty("percentiles").GetProperty(p.ToString(CultureInfo.InvariantCulture)).GetDouble());
    }

    // The sum in 28 digits, rounded, and its neighbour: in which order doubles are added decides between them.
    static double Near(IReadOnlyList<Row> rows, int direction)
    {
        var exact = (double)rows.Aggregate(0m, (total, r) => total + (decimal)r.Sum);
        var slack = Math.Abs(exact) * 1e-14;
        return exact + (direction * slack);
    }

    static ExponentialHistogram Merge(IEnumerable<Row> rows)
    {
        var merged = new ExponentialHistogram();
        foreach (var row in rows) merged.MergeFrom(ExponentialHistogram.Read(row.Sketch));
        return merged;
    }

    async Task<List<Row>> RowsAsync(string where)
    {
        await using var command = _source.CreateCommand(
            "SELECT service_id, metric_name, window_size, (extract(epoch FROM timestamp) * 1000)::bigint, scope, tags::text, count, sum, revision, sketch FROM metric_aggregates WHERE " + where);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<Row>();
        while (await reader.ReadAsync())
        {
            rows.Add(new(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetInt64(3), reader.GetString(4) == "total", JsonSerializer.Deserialize<Dictionary<string, string>>(reader.GetString(5))!,
                reader.GetInt64(6), reader.GetDouble(7), reader.GetInt64(8), reader.GetFieldValue<byte[]>(9)));
        }

        return rows;
    }

    async Task<JsonElement> GetAsync(string service, string metric, string parameters)
    {
        var path = $"/api/v1/services/{service}/metrics/{Uri.EscapeDataString(metric)}/series?{parameters}";
        using var response = await _http.GetAsync(new Uri(path, UriKind.Relative));
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    static string Span(string window, long from, long to) =>
        $"scope = 'series' AND window_size = '{window}' AND timestamp >= to_timestamp({Text(from / 1000)}) AND timestamp < to_timestamp({Text(to / 1000)})";

    static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
