using Npgsql;

namespace StreamMetrics.Archiver.Database;

/// <summary>Locks in the database; the numbers are ours alone in it.</summary>
static class AdvisoryLocks
{
    /// <summary>Changing the schema.</summary>
    public const long Migration = 0x53_4D_00_01;

    /// <summary>Creating and dropping partitions.</summary>
    public const long Partitions = 0x53_4D_00_02;

    /// <summary>Archiving and dropping what has expired.</summary>
    public const long Retention = 0x53_4D_00_03;

    /// <summary>Waits for a lock and takes it for the current transaction.</summary>
    public static async Task TakeAsync(NpgsqlConnection connection, long number, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection);
        command.Parameters.Add(new() { Value = number });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Takes a lock for the connection, unless another one has it.</summary>
    public static async Task<bool> TryTakeForSessionAsync(NpgsqlConnection connection, long number, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection);
        command.Parameters.Add(new() { Value = number });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Gives a lock back; on a connection that broke it is gone already.</summary>
    public static async Task ReleaseForSessionAsync(NpgsqlConnection connection, long number)
    {
        if (connection.FullState != System.Data.ConnectionState.Open) return;
        await using var command = new NpgsqlCommand("SELECT pg_advisory_unlock($1)", connection);
        command.Parameters.Add(new() { Value = number });
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }
}
