using Npgsql;
using NpgsqlTypes;
using StreamMetrics.Archiver.Archive;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Rollups;

namespace StreamMetrics.Archiver.Retention;

/// <summary>What retention asks of the database and does in it. Names in statements are those of our own tables and of dates.</summary>
static class RetentionSql
{
    /// <summary>The partitions of a table.</summary>
    public static async Task<List<TablePartition>> ExistingAsync(NpgsqlConnection connection, PartitionedTable table, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass", connection);
        command.Parameters.Add(new() { Value = table.Name });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var partitions = new List<TablePartition>();
        while (await row.ReadAsync(cancellationToken))
        {
            // A partition with another name was attached by hand: it is not ours to drop.
            if (table.Parse(row.GetString(0)) is { } partition) partitions.Add(partition);
        }

        return partitions;
    }

    /// <summary>Until when a restored partition is left alone; null for one that was not restored.</summary>
    public static async Task<DateTimeOffset?> KeptUntilAsync(NpgsqlConnection connection, TablePartition partition, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT keep_until FROM restored_partitions WHERE partition = $1", connection);
        command.Parameters.Add(new() { Value = partition.Name });
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime until ? new DateTimeOffset(until) : null;
    }

    /// <summary>Whether a partition of that time was dropped before.</summary>
    public static async Task<bool> WasDroppedAsync(NpgsqlConnection connection, PartitionedTable table, TablePartition partition, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT FROM retention_progress WHERE table_name = $1 AND dropped_before >= $2)", connection);
        command.Parameters.Add(new() { Value = table.Name });
        command.Parameters.Add(Time(partition.To));
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Whether a roll-up that needs the partition has not been computed yet.</summary>
    public static async Task<bool> IsAwaitedAsync(NpgsqlConnection connection, PartitionedTable table, TablePartition partition, CancellationToken cancellationToken)
    {
        if (RollupTier.All.FirstOrDefault(t => t.Input == table) is not { } tier) return false;
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT FROM rollup_work WHERE tier = $1 AND bucket >= $2 AND bucket < $3)", connection);
        command.Parameters.Add(new() { Value = tier.Name });
        command.Parameters.Add(Time(partition.From - tier.Length));
        command.Parameters.Add(Time(partition.To));
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>What a partition holds now, as far as some columns tell; null: all.</summary>
    public static async Task<TableContent> ContentAsync(
        NpgsqlConnection connection, TablePartition partition, IReadOnlyList<string>? columns, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, TableContent.TextSettings, cancellationToken);
        columns ??= await TableContent.ColumnsAsync(connection, partition.Name, cancellationToken);
        return await TableContent.ReadAsync(connection, partition.Name, columns, cancellationToken);
    }

    /// <summary>Drops a partition and notes that it is gone, as part of the current transaction.</summary>
    public static async Task DropAsync(NpgsqlConnection connection, PartitionedTable table, TablePartition partition, CancellationToken cancellationToken)
    {
        await using var note = new NpgsqlCommand(
            """
            INSERT INTO retention_progress AS p (table_name, dropped_before) VALUES ($1, $2)
            ON CONFLICT (table_name) DO UPDATE SET dropped_before = greatest(p.dropped_before, excluded.dropped_before)
            """, connection);
        note.Parameters.Add(new() { Value = table.Name });
        note.Parameters.Add(Time(partition.To));
        await note.ExecuteNonQueryAsync(cancellationToken);
        await ExecuteAsync(connection, $"DELETE FROM restored_partitions WHERE partition = '{partition.Name}'; DROP TABLE {partition.Name}", cancellationToken);
    }

    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    static NpgsqlParameter Time(DateTimeOffset instant) => new() { Value = instant.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz };
}
