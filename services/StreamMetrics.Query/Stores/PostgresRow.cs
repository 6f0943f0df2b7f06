using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Stores;

/// <summary>Reads a row of <c>metric_aggregates</c> or of a roll-up.</summary>
static class PostgresRow
{
    public const string Columns =
        "service_id, metric_name, metric_type, unit, tags_hash, tags, timestamp, count, sum, avg, min, max, p50, p95, p99, last, last_time, errors, exemplar, "
        + "max_relative_error, late, revision";

    const int SketchColumn = 22;

    public static DateTime Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).UtcDateTime;

    public static long Ms(NpgsqlDataReader reader, int column) =>
        new DateTimeOffset(reader.GetDateTime(column), TimeSpan.Zero).ToUnixTimeMilliseconds();

    public static NpgsqlParameter TagsParameter(IReadOnlyDictionary<string, string> tags) =>
        new() { Value = JsonSerializer.Serialize(tags, ContractsJson.Default.IReadOnlyDictionaryStringString), NpgsqlDbType = NpgsqlDbType.Jsonb };

    public static StoredWindow Read(NpgsqlDataReader row, QueryWindow window, bool withSketch)
    {
        var hash = row.GetString(4);
        var start = Ms(row, 6);
        var count = row.GetInt64(7);
        var sum = row.GetDouble(8);
        var type = row.GetString(2);
        var aggregate = new Aggregate
        {
            ServiceId = row.GetString(0),
            MetricName = row.GetString(1),
            MetricType = type,
            Unit = row.GetString(3),
            Scope = hash.Length == 0 ? AggregateScope.Total : AggregateScope.Series,
            Tags = JsonSerializer.Deserialize(row.GetString(5), ContractsJson.Default.IReadOnlyDictionaryStringString) ?? new Dictionary<string, string>(),
            Window = window.Name,
            Start = start,
            End = start + window.SizeMs,
            Kind = AggregateKind.Final,
            Count = count,
            Sum = sum,
            Avg = row.GetDouble(9),
            Min = row.GetDouble(10),
            Max = row.GetDouble(11),
            P50 = row.GetDouble(12),
            P95 = row.GetDouble(13),
            P99 = row.GetDouble(14),
            Rate = (type == MetricTypes.Counter ? sum : count) / (window.SizeMs / 1000.0),
            Last = row.GetDouble(15),
            LastTime = Ms(row, 16),
            Errors = row.GetInt64(17),
            Exemplar = row.IsDBNull(18) ? null : JsonSerializer.Deserialize(row.GetString(18), ContractsJson.Default.Exemplar),
            MaxRelativeError = row.GetDouble(19),
            Late = row.GetInt64(20),
            Partition = -1,
            AsOfOffset = -1,
            Sketch = withSketch ? row.GetFieldValue<byte[]>(SketchColumn) : null,
        };
        return new(aggregate, hash, row.GetInt32(21), DataSource.Cold);
    }
}
