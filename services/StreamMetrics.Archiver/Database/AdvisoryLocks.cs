using Npgsql;

namespace StreamMetrics.Archiver.Database;

/// <summary>Locks in the database, each held until the end of the transaction that took it; the numbers are ours alone in it.</summary>
static class AdvisoryLocks
{
    /// <summary>Changing the schema.</summary>
    public const long Migration = 0x53_4D_00_01;

    /// <summary>Creating and dropping partitions.</summary>
    public const long Partitions = 0x53_4D_00_02;

    /// <summary>Waits for a lock and takes it for the current transaction.</summary>
    public static async Task TakeAsync(NpgsqlConnection connection, long number, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection);
        command.Parameters.Add(new() { Value = number });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
