using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Npgsql;
using StreamMetrics.Sketches;
using Xunit;

namespace StreamMetrics.TestSupport;

/// <summary>
/// Compares what REST and GraphQL of a running system answer with what plain SQL and a merge of the stored sketches give: counts exactly, sketches byte
/// for byte, sums of one stored window to the bit, those of several to the last bit, percentiles with those of the merged sketch; and the two with each
/// other, in every field.
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

    ISeriesApi[] Apis => [new RestSeries(_http), new GraphQLSeries(_http)];

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
        await AskAllAsync(new(sample.Service, sample.Metric, sample.Window, sample.Start, sample.Start + 1, sample.Tags), answer =>
        {
            var point = Assert.Single(Assert.Single(answer.EnumerateArray()).GetProperty("points").EnumerateArray());
            AssertEqual(rows, point, []);
            Assert.Equal(rows.Sum(r => r.Revision), point.GetProperty("revision").GetInt64());
        });
    }

    async Task<int> CheckGroupAsync(string service, string metric, string key, long from, long to)
    {
        var rows = await RowsAsync($"service_id = {Literal(service)} AND metric_name = {Literal(metric)} AND {Span("5m", from, to)}");
        var minutes = await RowsAsync($"service_id = {Literal(service)} AND metric_name = {Literal(metric)} AND {Span("1m", from, to)}");
        var expected = rows.ToLookup(r => (r.Tags.GetValueOrDefault(key), r.Start));
        var parts = minutes.ToLookup(r => (r.Tags.GetValueOrDefault(key), r.Start / Step * Step));
        await AskAllAsync(new(service, metric, "1m", from, to, new Dictionary<string, string>()) { Step = "5m", GroupBy = key, Percentiles = Percentiles }, answer =>
        {
            var points = answer.EnumerateArray().SelectMany(s => s.GetProperty("points").EnumerateArray(), (s, p) => (Value: ValueOf(s, key), Point: p)).ToList();
            foreach (var (value, point) in points)
            {
                var start = point.GetProperty("start").GetInt64();
                AssertEqual([.. expected[(value, start)]], point, Percentiles);
                // The same of the one-minute windows, but for the rounding of their sums.
                Assert.Equal(Merge(parts[(value, start)]).ToArray(), point.GetProperty("sketch").GetBytesFromBase64());
                var sum = parts[(value, start)].Sum(r => r.Sum);
                Assert.InRange(point.GetProperty("sum").GetDouble(), sum - (Math.Abs(sum) * 1e-12), sum + (Math.Abs(sum) * 1e-12));
            }

            Assert.Equal(expected.Count, points.Count);
        });
        return expected.Count;
    }

    static string? ValueOf(JsonElement series, string key) => series.GetProperty("tags").TryGetProperty(key, out var text) ? text.GetString() : null;

    // Each API by itself, and then all of them.
    async Task AskAllAsync(SeriesQuestion question, Action<JsonElement> check)
    {
        JsonElement? first = null;
        foreach (var api in Apis)
        {
            var answer = await api.SeriesAsync(question);
            var failure = Record.Exception(() => check(answer));
            if (failure is not null) throw new InvalidOperationException($"{api.Name}: {failure.Message}", failure);
            first ??= answer;
            Assert.True(JsonElement.DeepEquals(first.Value, answer), $"{Apis[0].Name} {first} is not {api.Name} {answer}");
        }
    }

    static void AssertEqual(IReadOnlyList<Row> rows, JsonElement point, IReadOnlyList<double> percentiles)
    {
        var sketch = Merge(rows);
        Assert.Equal(rows.Sum(r => r.Count), point.GetProperty("count").GetInt64());
        Assert.Equal(sketch.ToArray(), point.GetProperty("sketch").GetBytesFromBase64());
        AssertSum([.. rows.Select(r => r.Sum)], point.GetProperty("sum").GetDouble());
        foreach (var (name, quantile) in new[] { ("p50", 0.5), ("p95", 0.95), ("p99", 0.99) }) Assert.Equal(sketch.Quantile(quantile), point.GetProperty(name).GetDouble());
        foreach (var p in percentiles) Assert.Equal(sketch.Quantile(p / 100), point.GetProperty("percentiles").GetProperty(p.ToString(CultureInfo.InvariantCulture)).GetDouble());
    }

    // One sum to the bit; of several the exact sum of the doubles or a neighbour of it, since the order of adding decides about the last bit.
    static void AssertSum(IReadOnlyList<double> terms, double actual)
    {
        if (terms.Count == 1)
        {
            Assert.Equal(terms[0], actual);
            return;
        }

        var exact = terms.Aggregate(BigInteger.Zero, (total, term) => total + Fixed(term));
        var size = Math.Abs(actual);
        Assert.True(BigInteger.Abs(Fixed(actual) - exact) <= Fixed(Math.BitIncrement(size)) - Fixed(size), $"{actual:R} is not the sum of {string.Join(" + ", terms)}");
    }

    // A double as an integer in units of the smallest double, 2^-1074: every one is a whole number of them.
    static BigInteger Fixed(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var fraction = bits & 0xFFFFFFFFFFFFF;
        var size = exponent == 0 ? fraction : (BigInteger)(fraction | 0x10000000000000) << (exponent - 1);
        return bits < 0 ? -size : size;
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

    static string Span(string window, long from, long to) =>
        $"scope = 'series' AND window_size = '{window}' AND timestamp >= to_timestamp({Text(from / 1000)}) AND timestamp < to_timestamp({Text(to / 1000)})";

    static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
