using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using StreamMetrics.Contracts;

namespace StreamMetrics.Archiver.Sink;

/// <summary>Copies rows in binary into the staging table.</summary>
static class RowWriter
{
    public const string TotalScope = "total";
    const string SeriesScope = "series";

    public static void Copy(NpgsqlConnection connection, IReadOnlyCollection<AggregateRow> rows, int pass)
    {
        using var import = connection.BeginBinaryImport(RowSql.Copy);
        foreach (var row in rows) Write(import, row, pass);
        import.Complete();
    }

    static void Write(NpgsqlBinaryImporter import, AggregateRow row, int pass)
    {
        import.StartRow();
        import.Write(Time(row.Key.Start), NpgsqlDbType.TimestampTz);
        Text(import, row.Key.ServiceId);
        Text(import, row.Key.MetricName);
        Text(import, row.Key.Window);
        Text(import, row.Key.TagsHash);
        Text(import, row.Scope == AggregateScope.Total ? TotalScope : SeriesScope);
        Text(import, row.MetricType);
        Text(import, row.Unit);
        import.Write(JsonSerializer.Serialize(WithoutNul(row.Tags), ContractsJson.Default.IReadOnlyDictionaryStringString), NpgsqlDbType.Jsonb);
        import.Write(row.Count, NpgsqlDbType.Bigint);
        import.Write(row.Sum, NpgsqlDbType.Double);
        import.Write(row.Sum / row.Count, NpgsqlDbType.Double);
        import.Write(row.Sketch.Min, NpgsqlDbType.Double);
        import.Write(row.Sketch.Max, NpgsqlDbType.Double);
        import.Write(row.Sketch.Quantile(0.50), NpgsqlDbType.Double);
        import.Write(row.Sketch.Quantile(0.95), NpgsqlDbType.Double);
        import.Write(row.Sketch.Quantile(0.99), NpgsqlDbType.Double);
        import.Write(row.Errors, NpgsqlDbType.Bigint);
        import.Write(row.Last, NpgsqlDbType.Double);
        import.Write(Time(row.LastTime), NpgsqlDbType.TimestampTz);
        if (row.Exemplar is { } exemplar) import.Write(JsonSerializer.Serialize(WithoutNul(exemplar), ContractsJson.Default.Exemplar), NpgsqlDbType.Jsonb);
        else import.WriteNull();
        if (row.Catalog is { } catalog) import.Write(JsonSerializer.Serialize(WithoutNul(catalog), ContractsJson.Default.IReadOnlyDictionaryStringString), NpgsqlDbType.Jsonb);
        else import.WriteNull();
        import.Write(row.Late, NpgsqlDbType.Bigint);
        import.Write(row.Revision, NpgsqlDbType.Bigint);
        import.Write(row.Sketch.MaxRelativeError, NpgsqlDbType.Double);
        import.Write(row.SketchBytes, NpgsqlDbType.Bytea);
        import.Write(JsonSerializer.Serialize(row.Applied, ArchiverJson.Default.SortedDictionaryInt32Int64), NpgsqlDbType.Jsonb);
        import.Write(pass, NpgsqlDbType.Integer);
    }

    static void Text(NpgsqlBinaryImporter import, string value) => import.Write(WithoutNul(value), NpgsqlDbType.Text);

    static DateTime Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime;

    // PostgreSQL's text cannot hold U+0000, which JSON can; it is stored as U+FFFD. Identity does not suffer: that is the hash.
    static string WithoutNul(string text) => text.Replace('\0', '\uFFFD');

    static Exemplar WithoutNul(Exemplar e) => e with { TraceId = WithoutNul(e.TraceId), SpanId = e.SpanId is null ? null : WithoutNul(e.SpanId) };

    static IReadOnlyDictionary<string, string> WithoutNul(IReadOnlyDictionary<string, string> tags)
    {
        if (!tags.Any(t => t.Key.Contains('\0', StringComparison.Ordinal) || t.Value.Contains('\0', StringComparison.Ordinal))) return tags;
        var clean = new Dictionary<string, string>(tags.Count);
        foreach (var (key, value) in tags) clean[WithoutNul(key)] = WithoutNul(value);
        return clean;
    }
}
