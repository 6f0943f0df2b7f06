using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Rollups;

namespace StreamMetrics.Archiver.Retention;

/// <summary>
/// Drops what is older than each tier keeps, by whole partitions, so that nothing is scanned and no space is left behind. A partition goes when
/// its last instant is old enough and when every roll-up of it has been computed.
/// </summary>
sealed class Retainer(NpgsqlDataSource source, PartitionStore partitions, IOptions<ArchiverOptions> options, TimeProvider time, ILogger<Retainer> logger)
{
    /// <summary>Drops what is due.</summary>
    public void DropExpired()
    {
        var now = time.GetUtcNow();
        Drop(PartitionedTable.Aggregates, now - options.Value.RawRetention);
        Drop(RollupTier.Hourly.Table, now - options.Value.HourlyRetention);
        Drop(RollupTier.Daily.Table, now - options.Value.DailyRetention);
    }

    void Drop(PartitionedTable table, DateTimeOffset keepFrom)
    {
        using var connection = source.OpenConnection();
        foreach (var partition in Existing(connection, table).Where(p => p.To <= keepFrom).OrderBy(p => p.From))
        {
            if (!TryDrop(connection, table, partition)) return;
        }
    }

    static List<TablePartition> Existing(NpgsqlConnection connection, PartitionedTable table)
    {
        using var command = new NpgsqlCommand(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass", connection);
        command.Parameters.Add(new() { Value = table.Name });
        using var row = command.ExecuteReader();
        var partitions = new List<TablePartition>();
        while (row.Read())
        {
            // A partition with another name was attached by hand: it is not ours to drop.
            if (table.Parse(row.GetString(0)) is { } partition) partitions.Add(partition);
        }

        return partitions;
    }

    /// <returns>False when it has to stay for now, and with it all younger ones.</returns>
    bool TryDrop(NpgsqlConnection connection, PartitionedTable table, TablePartition partition)
    {
        try
        {
            using var transaction = connection.BeginTransaction();
            // Whoever reads the table for long makes the drop wait, and everybody else behind it: better try again later.
            Execute(connection, $"SET LOCAL lock_timeout = '2s'; SELECT pg_advisory_xact_lock({AdvisoryLocks.Partitions})");
            if (IsAwaited(connection, table, partition))
            {
                Log.PartitionAwaited(logger, partition.Name);
                return false;
            }

            NoteDropped(connection, table, partition);
            Execute(connection, $"DROP TABLE IF EXISTS {partition.Name}");
            transaction.Commit();
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            Log.PartitionBusy(logger, partition.Name);
            return false;
        }

        partitions.Forget();
        Log.PartitionDropped(logger, partition.Name, partition.From, partition.To);
        return true;
    }

    static bool IsAwaited(NpgsqlConnection connection, PartitionedTable table, TablePartition partition)
    {
        if (RollupTier.All.FirstOrDefault(t => t.Input == table) is not { } tier) return false;
        using var command = new NpgsqlCommand("SELECT EXISTS (SELECT FROM rollup_work WHERE tier = $1 AND bucket >= $2 AND bucket < $3)", connection);
        command.Parameters.Add(new() { Value = tier.Name });
        command.Parameters.Add(new() { Value = partition.From.UtcDateTime - tier.Length, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = partition.To.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        return (bool)command.ExecuteScalar()!;
    }

    static void NoteDropped(NpgsqlConnection connection, PartitionedTable table, TablePartition partition)
    {
        using var command = new NpgsqlCommand(
            """
            INSERT INTO retention_progress AS p (table_name, dropped_before) VALUES ($1, $2)
            ON CONFLICT (table_name) DO UPDATE SET dropped_before = greatest(p.dropped_before, excluded.dropped_before)
            """, connection);
        command.Parameters.Add(new() { Value = table.Name });
        command.Parameters.Add(new() { Value = partition.To.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.ExecuteNonQuery();
    }

    static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
