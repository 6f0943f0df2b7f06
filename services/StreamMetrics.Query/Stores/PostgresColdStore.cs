using System.Collections.ObjectModel;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Stores;

/// <summary>PostgreSQL as the archiver fills it (docs/formats/postgresql.md): one table of windows, one each of hourly and daily roll-ups.</summary>
sealed class PostgresColdStore(NpgsqlDataSource source, IOptions<QueryOptions> options, TimeProvider time, ILogger<PostgresColdStore> logger) : IColdStore
{
    readonly StoreGuard _guard = new("PostgreSQL", options.Value.ColdTimeout, options.Value.StoreBreak, time, logger);

    public Task<IReadOnlyList<SeenService>> ServicesAsync(long since, CancellationToken token) => AskAsync<IReadOnlyList<SeenService>>(async (command, t) =>
    {
        command.CommandText = """
            SELECT service_id, max(last_time), count(DISTINCT metric_name)::int,
              (array_agg(catalog::text ORDER BY timestamp DESC) FILTER (WHERE catalog IS NOT NULL))[1]
            FROM metric_aggregates
            WHERE window_size = '1m' AND scope = 'total' AND timestamp >= $1 GROUP BY service_id
            """;
        command.Parameters.Add(new() { Value = PostgresRow.Time(since) });
        await using var reader = await command.ExecuteReaderAsync(t);
        var services = new List<SeenService>();
        while (await reader.ReadAsync(t))
        {
            services.Add(new(reader.GetString(0), PostgresRow.Ms(reader, 1), reader.GetInt32(2), Attributes(reader.IsDBNull(3) ? null : reader.GetString(3))));
        }

        return services;
    }, token);

    public Task<IReadOnlyDictionary<string, string>> AttributesAsync(string serviceId, long since, CancellationToken token) => AskAsync(async (command, t) =>
    {
        command.CommandText = """
            SELECT catalog::text FROM metric_aggregates
            WHERE service_id = $1 AND window_size = '1m' AND scope = 'total' AND timestamp >= $2 AND catalog IS NOT NULL ORDER BY timestamp DESC LIMIT 1
            """;
        command.Parameters.Add(new() { Value = serviceId });
        command.Parameters.Add(new() { Value = PostgresRow.Time(since) });
        return Attributes(await command.ExecuteScalarAsync(t) as string);
    }, token);

    public Task<IReadOnlyList<MetricAnswer>> MetricsAsync(string serviceId, long since, CancellationToken token) => AskAsync<IReadOnlyList<MetricAnswer>>(async (command, t) =>
    {
        command.CommandText = """
            SELECT metric_name, max(metric_type), max(unit), count(DISTINCT tags_hash) FILTER (WHERE scope = 'series')::int, max(last_time) FROM metric_aggregates
            WHERE service_id = $1 AND window_size = '1m' AND timestamp >= $2 GROUP BY metric_name
            """;
        command.Parameters.Add(new() { Value = serviceId });
        command.Parameters.Add(new() { Value = PostgresRow.Time(since) });
        await using var reader = await command.ExecuteReaderAsync(t);
        var metrics = new List<MetricAnswer>();
        while (await reader.ReadAsync(t))
        {
            metrics.Add(new()
            {
                MetricName = reader.GetString(0),
                MetricType = reader.GetString(1),
                Unit = reader.GetString(2),
                Series = reader.GetInt32(3),
                LastSeen = PostgresRow.Ms(reader, 4),
            });
        }

        return metrics;
    }, token);

    public Task<IReadOnlyList<StoredWindow>> RangeAsync(ColdRange range, int limit, CancellationToken token) => AskAsync((command, t) =>
    {
        command.CommandText = $"{Select(range)} AND timestamp >= $3 AND timestamp < $4 ORDER BY timestamp LIMIT $5";
        AddParameters(command, range, limit);
        return ReadAsync(command, range.Window, range.WithSketch, t);
    }, token);

    public Task<IReadOnlySet<long>> StaleAsync(ColdRange range, CancellationToken token) => AskAsync<IReadOnlySet<long>>(async (command, t) =>
    {
        // a day is made of hours, so it waits for them too
        var isDaily = range.Window.Name == QueryWindow.OneDay;
        command.CommandText = $"""
            SELECT DISTINCT date_trunc('{(isDaily ? "day" : "hour")}', bucket, 'UTC') FROM rollup_work
            WHERE tier = ANY($1) AND bucket >= $2 AND bucket < $3 AND service_id = $4 AND metric_name = $5
            """;
        command.Parameters.Add(new() { Value = isDaily ? (string[])["hourly", "daily"] : ["hourly"] });
        command.Parameters.Add(new() { Value = PostgresRow.Time(range.From) });
        command.Parameters.Add(new() { Value = PostgresRow.Time(range.To) });
        command.Parameters.Add(new() { Value = range.Selector.ServiceId });
        command.Parameters.Add(new() { Value = range.Selector.MetricName });
        await using var reader = await command.ExecuteReaderAsync(t);
        var stale = new HashSet<long>();
        while (await reader.ReadAsync(t)) stale.Add(PostgresRow.Ms(reader, 0));
        return stale;
    }, token);

    public Task<IReadOnlyList<StoredWindow>> NewestAsync(ColdRange range, int limit, CancellationToken token) => AskAsync((command, t) =>
    {
        var (table, where) = Source(range);
        command.CommandText = $"""
            {Select(range)} AND timestamp = (SELECT timestamp FROM {table} WHERE {where} AND timestamp >= $3 AND timestamp < $4 ORDER BY timestamp DESC LIMIT 1) LIMIT $5
            """;
        AddParameters(command, range, limit);
        return ReadAsync(command, range.Window, range.WithSketch, t);
    }, token);

    public Task<IReadOnlyList<StoredWindow>> TotalsAsync(string? metricName, QueryWindow window, long since, int limit, CancellationToken token) => AskAsync((command, t) =>
    {
        command.CommandText = $"""
            SELECT DISTINCT ON (service_id, metric_name) {PostgresRow.Columns} FROM metric_aggregates
            WHERE window_size = $1 AND scope = 'total' AND timestamp >= $2 AND ($3::text IS NULL OR metric_name = $3)
            ORDER BY service_id, metric_name, timestamp DESC LIMIT $4
            """;
        command.Parameters.Add(new() { Value = window.Name });
        command.Parameters.Add(new() { Value = PostgresRow.Time(since) });
        command.Parameters.Add(new() { Value = (object?)metricName ?? DBNull.Value });
        command.Parameters.Add(new() { Value = limit });
        return ReadAsync(command, window, withSketch: false, t);
    }, token);

    public Task PingAsync(CancellationToken token) => AskAsync(async (command, t) =>
    {
        command.CommandText = "SELECT 1";
        return await command.ExecuteScalarAsync(t);
    }, token);

    Task<T> AskAsync<T>(Func<NpgsqlCommand, CancellationToken, Task<T>> ask, CancellationToken token) => _guard.AskAsync(async t =>
    {
        await using var command = source.CreateCommand();
        return await ask(command, t);
    }, token);

    static IReadOnlyDictionary<string, string> Attributes(string? json) =>
        json is null ? ReadOnlyDictionary<string, string>.Empty : JsonSerializer.Deserialize(json, ContractsJson.Default.IReadOnlyDictionaryStringString) ?? ReadOnlyDictionary<string, string>.Empty;

    static string Select(ColdRange range)
    {
        var (table, where) = Source(range);
        return $"SELECT {PostgresRow.Columns}{(range.WithSketch ? ", sketch" : "")} FROM {table} WHERE {where}";
    }

    static (string Table, string Where) Source(ColdRange range)
    {
        var series = range.IsTotal ? "scope = 'total' AND tags_hash = ''" : range.Selector.Tags.Count == 0 ? "scope = 'series'" : "scope = 'series' AND tags @> $6";
        var table = range.Window.Name switch
        {
            QueryWindow.OneHour => "metric_rollups_hourly",
            QueryWindow.OneDay => "metric_rollups_daily",
            _ => "metric_aggregates",
        };
        // the name is one of our own constants
        return (table, $"service_id = $1 AND metric_name = $2 AND window_size = '{range.Window.Name}' AND {series}");
    }

    static void AddParameters(NpgsqlCommand command, ColdRange range, int limit)
    {
        command.Parameters.Add(new() { Value = range.Selector.ServiceId });
        command.Parameters.Add(new() { Value = range.Selector.MetricName });
        command.Parameters.Add(new() { Value = PostgresRow.Time(range.From) });
        command.Parameters.Add(new() { Value = PostgresRow.Time(range.To) });
        command.Parameters.Add(new() { Value = limit });
        if (range.Selector.Tags.Count > 0) command.Parameters.Add(PostgresRow.TagsParameter(range.Selector.Tags));
    }

    static async Task<IReadOnlyList<StoredWindow>> ReadAsync(NpgsqlCommand command, QueryWindow window, bool withSketch, CancellationToken token)
    {
        await using var reader = await command.ExecuteReaderAsync(token);
        var windows = new List<StoredWindow>();
        while (await reader.ReadAsync(token)) windows.Add(PostgresRow.Read(reader, window, withSketch));
        return windows;
    }
}
