using Npgsql;

namespace StreamMetrics.Archiver.Tests.Support;

/// <summary>Reads the cold store in plain SQL.</summary>
sealed class ColdStore(string connectionString) : IAsyncDisposable
{
    // No pool: tests stop and kill the server.
    readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(connectionString + ";Pooling=false");

    public async Task<List<ExpectedRow>> RowsAsync(string table = "metric_aggregates")
    {
        await using var command = _source.CreateCommand(
            $"""
            SELECT service_id, metric_name, window_size, (extract(epoch FROM "timestamp") * 1000)::bigint, tags_hash, count, sum, min, max, p50, p99, errors, late, last,
                (extract(epoch FROM last_time) * 1000)::bigint, revision, sketch, avg
            FROM {table}
            """);
        await using var row = await command.ExecuteReaderAsync();
        var rows = new List<ExpectedRow>();
        while (await row.ReadAsync())
        {
            Xunit.Assert.Equal(row.GetDouble(6) / row.GetInt64(5), row.GetDouble(17));
            rows.Add(new(
                row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetString(4), row.GetInt64(5), row.GetDouble(6), row.GetDouble(7), row.GetDouble(8),
                row.GetDouble(9), row.GetDouble(10), row.GetInt64(11), row.GetInt64(12), row.GetDouble(13), row.GetInt64(14), row.GetInt64(15),
                Convert.ToHexString(row.GetFieldValue<byte[]>(16))));
        }

        return [.. rows.OrderBy(ExpectedTable.Order, StringComparer.Ordinal)];
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The tables of one kind, by name.</summary>
    public async Task<List<string>> PartitionsAsync(string table)
    {
        await using var command = _source.CreateCommand($"SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{table}'::regclass ORDER BY 1");
        await using var row = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await row.ReadAsync()) names.Add(row.GetString(0)[(table.Length + 1)..]);
        return names;
    }

    /// <summary>How many records have been applied, over all partitions; 0 before there is a schema.</summary>
    public async Task<long> AppliedAsync()
    {
        if (await ScalarAsync<bool>("SELECT to_regclass('sink_offsets') IS NULL")) return 0;
        return await ScalarAsync<long>("SELECT coalesce(sum(next_offset), 0)::bigint FROM sink_offsets");
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
