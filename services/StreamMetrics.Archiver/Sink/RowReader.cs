using System.Text.Json;
using Npgsql;
using StreamMetrics.Contracts;

namespace StreamMetrics.Archiver.Sink;

/// <summary>Reads the rows that <see cref="RowSql"/> selects.</summary>
static class RowReader
{
    public static AggregateRow Read(NpgsqlDataReader row)
    {
        var window = row.GetString(3);
        var start = row.GetInt64(0);
        return AggregateRow.Stored(
            new(row.GetString(1), row.GetString(2), window, start, row.GetString(4)),
            end: start + WindowLengths.Milliseconds(window),
            scope: row.GetString(5) == RowWriter.TotalScope ? AggregateScope.Total : AggregateScope.Series,
            metricType: row.GetString(6),
            unit: row.GetString(7),
            tags: JsonSerializer.Deserialize(row.GetString(8), ContractsJson.Default.IReadOnlyDictionaryStringString)!,
            count: row.GetInt64(9),
            sum: row.GetDouble(10),
            errors: row.GetInt64(11),
            late: row.GetInt64(12),
            last: row.GetDouble(13),
            lastTime: row.GetInt64(14),
            exemplar: row.IsDBNull(15) ? null : JsonSerializer.Deserialize(row.GetString(15), ContractsJson.Default.Exemplar),
            catalog: row.IsDBNull(18) ? null : JsonSerializer.Deserialize(row.GetString(18), ContractsJson.Default.IReadOnlyDictionaryStringString),
            revision: Math.Abs(row.GetInt64(16)),
            sketch: row.GetFieldValue<byte[]>(17),
            applied: JsonSerializer.Deserialize(row.GetString(19), ArchiverJson.Default.SortedDictionaryInt32Int64)!);
    }
}
