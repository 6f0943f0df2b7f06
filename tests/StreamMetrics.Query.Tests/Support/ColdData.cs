using System.Globalization;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests.Support;

/// <summary>Writes to PostgreSQL what the archiver writes, into the tables of the archiver's own migrations.</summary>
sealed class ColdData(NpgsqlDataSource source)
{
    readonly HashSet<(string Table, DateTime Day)> _days = [];

    public async Task MigrateAsync()
    {
        var folder = RepositoryRoot.Combine("services", "StreamMetrics.Archiver", "Database", "Migrations");
        foreach (var file in Directory.GetFiles(folder, "*.sql").Order(StringComparer.Ordinal)) await ExecuteAsync(await File.ReadAllTextAsync(file));
    }

    public async Task ClearAsync() => await ExecuteAsync("TRUNCATE metric_aggregates, metric_rollups_hourly, metric_rollups_daily, rollup_work");

    public async Task InsertAsync(IEnumerable<Aggregate> aggregates, long revision = 1)
    {
        foreach (var a in aggregates) await InsertAsync(a, revision);
    }

    public async Task InsertAsync(Aggregate a, long revision = 1)
    {
        var start = DateTimeOffset.FromUnixTimeMilliseconds(a.Start).UtcDateTime;
        var table = a.Window switch { "1h" => "metric_rollups_hourly", "1d" => "metric_rollups_daily", _ => "metric_aggregates" };
        if (_days.Add((table, start.Date)))
        {
            await ExecuteAsync(string.Create(CultureInfo.InvariantCulture,
                $"CREATE TABLE IF NOT EXISTS {table}_{start:yyyyMMdd} PARTITION OF {table} FOR VALUES FROM ('{start.Date:yyyy-MM-dd} 00:00Z') TO ('{start.Date.AddDays(1):yyyy-MM-dd} 00:00Z')"));
        }

        var isAggregate = table == "metric_aggregates";
        await using var insert = source.CreateCommand($"""
            INSERT INTO {table} (timestamp, service_id, metric_name, window_size, scope, metric_type, unit, tags, tags_hash, count, sum, avg, min, max,
                p50, p95, p99, errors, last, last_time, exemplar, late, revision, max_relative_error, sketch, catalog{(isAggregate ? ", applied" : "")})
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26{(isAggregate ? ", '{}'" : "")})
            """);
        var json = ContractsJson.Default;
        object[] values =
        [
            start, a.ServiceId, a.MetricName, a.Window, a.Scope == AggregateScope.Total ? "total" : "series", a.MetricType, a.Unit,
            Jsonb(JsonSerializer.Serialize(a.Tags, json.IReadOnlyDictionaryStringString)), Samples.Hash(a), a.Count, a.Sum, a.Avg, a.Min, a.Max,
            a.P50, a.P95, a.P99, a.Errors, a.Last, DateTimeOffset.FromUnixTimeMilliseconds(a.LastTime).UtcDateTime,
            Jsonb(a.Exemplar is null ? null : JsonSerializer.Serialize(a.Exemplar, json.Exemplar)), a.Late, revision, a.MaxRelativeError, a.Sketch!,
            Jsonb(a.Catalog is null ? null : JsonSerializer.Serialize(a.Catalog, json.IReadOnlyDictionaryStringString)),
        ];
        foreach (var value in values) insert.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        await insert.ExecuteNonQueryAsync();
    }

    /// <summary>The sink's note that an hour or a day has to be computed (again).</summary>
    public Task StaleAsync(string tier, long bucket, string service = Samples.Service, string metric = Samples.Metric) => ExecuteAsync(string.Create(
        CultureInfo.InvariantCulture, $"INSERT INTO rollup_work VALUES ('{tier}', '{DateTimeOffset.FromUnixTimeMilliseconds(bucket):yyyy-MM-dd HH:mm:ssZ}', '{service}', '{metric}', '')"));

    public async Task ExecuteAsync(string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    static NpgsqlParameter Jsonb(string? json) => new() { Value = (object?)json ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb };
}
