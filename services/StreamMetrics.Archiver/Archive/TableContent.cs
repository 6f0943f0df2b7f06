using Npgsql;

namespace StreamMetrics.Archiver.Archive;

/// <summary>What a partition holds, in a few words: equal contents have equal ones, and any change of a row changes it.</summary>
/// <param name="Rows">Number of rows.</param>
/// <param name="MinTime">Start of the first window; null without rows.</param>
/// <param name="MaxTime">Start of the last window; null without rows.</param>
/// <param name="RowHash">Sum of PostgreSQL's 64-bit hash of every row's text, so the order of rows does not matter.</param>
sealed record TableContent(long Rows, DateTimeOffset? MinTime, DateTimeOffset? MaxTime, string RowHash)
{
    /// <summary>Settings of a transaction under which the same values always have the same text, digit by digit.</summary>
    public const string TextSettings =
        "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL jit = off";

    /// <summary>Columns as they stand in a statement.</summary>
    public static string List(IReadOnlyList<string> columns) => string.Join(", ", columns.Select(c => $"\"{c.Replace("\"", "\"\"", StringComparison.Ordinal)}\""));

    /// <summary>The columns of a table.</summary>
    public static async Task<IReadOnlyList<string>> ColumnsAsync(NpgsqlConnection connection, string table, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum", connection);
        command.Parameters.Add(new() { Value = table });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var columns = new List<string>();
        while (await row.ReadAsync(cancellationToken)) columns.Add(row.GetString(0));
        return columns;
    }

    /// <summary>Reads all of a partition; in a transaction with <see cref="TextSettings"/>.</summary>
    public static async Task<TableContent> ReadAsync(NpgsqlConnection connection, string partition, IReadOnlyList<string> columns, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT count(*), min("timestamp"), max("timestamp"), coalesce(sum(hashtextextended(ROW({List(columns)})::text, 0)::numeric), 0)::text FROM {partition}
            """, connection) { CommandTimeout = 0 };
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return new(row.GetInt64(0), Time(row, 1), Time(row, 2), row.GetString(3));
    }

    static DateTimeOffset? Time(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : new DateTimeOffset(row.GetDateTime(column));
}
