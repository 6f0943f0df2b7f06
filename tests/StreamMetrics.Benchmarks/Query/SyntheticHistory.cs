using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Sketches;
using StreamMetrics.TestSupport;
using Aggregate = StreamMetrics.Contracts.Aggregate;

namespace StreamMetrics.Benchmarks.Query;

/// <summary>
/// A day of final windows as the archiver would have stored it: ten services with one metric of fifty series each; windows of 1, 5 and 15 minutes of
/// every series and total, hours where they are over; the last hour also in Redis.
/// </summary>
sealed class SyntheticHistory
{
    public const int Services = 10;
    public const int SeriesPerService = 50;
    public const string Metric = "api.request.duration";
    const long Minute = 60_000;
    const long Hour = 60 * Minute;
    const int ValuesPerMinute = 60;

    static readonly (string Name, long Length)[] Windows =
    [
        (WindowNames.OneMinute, Minute), (WindowNames.FiveMinutes, 5 * Minute), (WindowNames.FifteenMinutes, 15 * Minute), ("1h", Hour),
    ];

    readonly Dictionary<string, int> _rows = [];

    /// <summary>End of the newest minute.</summary>
    public required long To { get; init; }

    public long From => To - (24 * Hour);

    /// <summary>Rows written, by window.</summary>
    public IReadOnlyDictionary<string, int> Rows => _rows;

    public static string Service(int service) => $"service-{service}";

    public static Dictionary<string, string> Tags(int series) => new() { ["endpoint"] = $"/api/v1/resource-{series}", ["method"] = series % 2 == 0 ? "GET" : "POST" };

    /// <summary>Writes everything.</summary>
    public async Task WriteAsync(string database, IDatabase redis)
    {
        await using var source = NpgsqlDataSource.Create(database);
        foreach (var file in Directory.GetFiles(RepositoryRoot.Combine("services", "StreamMetrics.Archiver", "Database", "Migrations"), "*.sql").Order(StringComparer.Ordinal))
            await ExecuteAsync(source, await File.ReadAllTextAsync(file));
        for (var day = From / (24 * Hour) * 24 * Hour; day < To; day += 24 * Hour)
            await ExecuteAsync(source, $"CREATE TABLE metric_aggregates_{Day(day):yyyyMMdd} PARTITION OF metric_aggregates FOR VALUES FROM ('{Day(day):yyyy-MM-dd}Z') TO ('{Day(day + (24 * Hour)):yyyy-MM-dd}Z')");
        await ExecuteAsync(source, $"CREATE TABLE metric_rollups_hourly_all PARTITION OF metric_rollups_hourly FOR VALUES FROM ('{Day(From):yyyy-MM-dd}Z') TO ('{Day(To + (24 * Hour)):yyyy-MM-dd}Z')");
        for (var service = 0; service < Services; service++) await WriteServiceAsync(source, redis, service);
        await redis.StringSetAsync(RedisKeys.HistoryComplete, To);
        await ExecuteAsync(source, "ANALYZE metric_aggregates");
        await ExecuteAsync(source, "ANALYZE metric_rollups_hourly");
    }

    async Task WriteServiceAsync(NpgsqlDataSource source, IDatabase redis, int service)
    {
        var random = new Random(service);
        var all = Enumerable.Range(0, SeriesPerService).Select(s => (Tags: (Dictionary<string, string>?)Tags(s), Minutes: Minutes(random, 20 + (s * 3)))).ToList();
        // The total is the merge of the series.
        all.Add((null, [.. Enumerable.Range(0, all[0].Minutes.Count).Select(m => Merge([.. all.Select(a => a.Minutes[m])]))]));
        await using var connection = await source.OpenConnectionAsync();
        foreach (var (name, length) in Windows)
        {
            var windows = all.SelectMany(a => Group(a.Minutes, length).Select(w => Create(service, a.Tags, name, length, w.Start, w.Sketch))).ToList();
            await CopyAsync(connection, name == "1h" ? "metric_rollups_hourly" : "metric_aggregates", windows);
            _rows[name] = _rows.GetValueOrDefault(name) + windows.Count;
            if (name != "1h") await WriteHotAsync(redis, [.. windows.Where(w => w.End > To - Hour)]);
        }
    }

    List<(long Start, ExponentialHistogram Sketch)> Minutes(Random random, double median)
    {
        var minutes = new List<(long, ExponentialHistogram)>();
        for (var start = From; start < To; start += Minute)
        {
            var sketch = new ExponentialHistogram();
            for (var i = 0; i < ValuesPerMinute; i++) sketch.Add(median * Math.Exp((random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 1.5));
            minutes.Add((start, sketch));
        }

        return minutes;
    }

    static (long Start, ExponentialHistogram Sketch) Merge(IReadOnlyList<(long Start, ExponentialHistogram Sketch)> parts)
    {
        var merged = new ExponentialHistogram();
        foreach (var part in parts) merged.MergeFrom(part.Sketch);
        return (parts[0].Start, merged);
    }

    // Only windows that are over and whole; of hours, those that the archiver would have rolled up.
    IEnumerable<(long Start, ExponentialHistogram Sketch)> Group(List<(long Start, ExponentialHistogram Sketch)> minutes, long length) => length == Minute
        ? minutes
        : minutes.GroupBy(m => m.Start / length * length).Where(g => g.Key >= From && g.Key + length <= To).Select(g => (g.Key, Merge([.. g]).Sketch));

    static Aggregate Create(int service, Dictionary<string, string>? tags, string window, long length, long start, ExponentialHistogram sketch)
    {
        // Near enough to a sum: nothing here depends on it.
        var sum = sketch.Quantile(0.5) * sketch.Count;
        return new()
        {
            ServiceId = Service(service), MetricName = Metric, MetricType = MetricTypes.HttpRequest, Unit = "milliseconds",
            Scope = tags is null ? AggregateScope.Total : AggregateScope.Series, Tags = tags ?? [], Window = window, Start = start, End = start + length, Kind = AggregateKind.Final,
            Count = sketch.Count, Sum = sum, Avg = sum / sketch.Count, Min = sketch.Min, Max = sketch.Max, P50 = sketch.Quantile(0.5), P95 = sketch.Quantile(0.95), P99 = sketch.Quantile(0.99),
            Rate = sketch.Count * 1000.0 / length, Last = sketch.Max, LastTime = start + length - 1, Errors = 0, Exemplar = new("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sketch.Max, start),
            MaxRelativeError = sketch.MaxRelativeError, Late = 0, Partition = 0, AsOfOffset = start, Revision = 1, Sketch = sketch.ToArray(),
        };
    }

    public static string Hash(Aggregate a) => a.Scope == AggregateScope.Total ? TagsHash.Total : TagsHash.Compute(a.Tags);

    static async Task CopyAsync(NpgsqlConnection connection, string table, List<Aggregate> windows)
    {
        var isAggregate = table == "metric_aggregates";
        await using var import = await connection.BeginBinaryImportAsync(
            $"COPY {table} (timestamp, service_id, metric_name, window_size, scope, metric_type, unit, tags, tags_hash, count, sum, avg, min, max, p50, p95, p99, errors, last, last_time, exemplar, late, "
            + $"revision, max_relative_error, sketch{(isAggregate ? ", applied" : "")}) FROM STDIN (FORMAT BINARY)");
        foreach (var a in windows)
        {
            await import.StartRowAsync();
            await import.WriteAsync(Day(a.Start), NpgsqlDbType.TimestampTz);
            foreach (var text in new[] { a.ServiceId, a.MetricName, a.Window, a.Scope == AggregateScope.Total ? "total" : "series", a.MetricType, a.Unit }) await import.WriteAsync(text, NpgsqlDbType.Text);
            await import.WriteAsync(JsonSerializer.Serialize(a.Tags, ContractsJson.Default.IReadOnlyDictionaryStringString), NpgsqlDbType.Jsonb);
            await import.WriteAsync(Hash(a), NpgsqlDbType.Text);
            await import.WriteAsync(a.Count, NpgsqlDbType.Bigint);
            foreach (var number in new[] { a.Sum, a.Avg, a.Min, a.Max, a.P50, a.P95, a.P99 }) await import.WriteAsync(number, NpgsqlDbType.Double);
            await import.WriteAsync(a.Errors, NpgsqlDbType.Bigint);
            await import.WriteAsync(a.Last, NpgsqlDbType.Double);
            await import.WriteAsync(Day(a.LastTime), NpgsqlDbType.TimestampTz);
            await import.WriteAsync(JsonSerializer.Serialize(a.Exemplar!, ContractsJson.Default.Exemplar), NpgsqlDbType.Jsonb);
            await import.WriteAsync(0L, NpgsqlDbType.Bigint);
            await import.WriteAsync(1L, NpgsqlDbType.Bigint);
            await import.WriteAsync(a.MaxRelativeError, NpgsqlDbType.Double);
            await import.WriteAsync(a.Sketch!, NpgsqlDbType.Bytea);
            if (isAggregate) await import.WriteAsync("{}", NpgsqlDbType.Jsonb);
        }

        await import.CompleteAsync();
    }

    static async Task WriteHotAsync(IDatabase redis, List<Aggregate> windows)
    {
        var writes = new List<Task>();
        foreach (var a in windows)
        {
            var hash = Hash(a);
            writes.Add(redis.SortedSetAddAsync(RedisKeys.History(a.ServiceId, a.MetricName, a.Window, hash), JsonSerializer.SerializeToUtf8Bytes(a, ContractsJson.Default.Aggregate), a.Start));
            if (a.Window != WindowNames.FifteenMinutes) continue;
            var entry = JsonSerializer.SerializeToUtf8Bytes(new CatalogEntry(a.MetricType, a.Unit, a.Tags, a.LastTime), ContractsJson.Default.CatalogEntry);
            writes.Add(redis.HashSetAsync(RedisKeys.Catalog(a.ServiceId), hash.Length == 0 ? a.MetricName : $"{a.MetricName}:{hash}", entry));
            writes.Add(redis.HashSetAsync(RedisKeys.Services, a.ServiceId, a.LastTime));
        }

        await Task.WhenAll(writes);
    }

    static DateTime Day(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).UtcDateTime;

    static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync();
    }
}
