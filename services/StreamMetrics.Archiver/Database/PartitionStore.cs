using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;

namespace StreamMetrics.Archiver.Database;

/// <summary>
/// Creates partitions: those of the coming days ahead, so that no writer waits at midnight, and any other when a row for it comes (a late
/// correction, a replay). There is no default partition: rows in one would have to be moved before their real one can be made.
/// </summary>
sealed class PartitionStore(NpgsqlDataSource source)
{
    readonly ConcurrentDictionary<string, bool> _known = new();

    /// <summary>Creates the partitions of the given instants where they are missing.</summary>
    public void Ensure(PartitionedTable table, IEnumerable<DateTimeOffset> instants)
    {
        var missing = Missing(table, instants);
        if (missing.Count == 0) return;
        using var connection = source.OpenConnection();
        using var transaction = connection.BeginTransaction();
        using var create = new NpgsqlCommand(CreateSql(table, missing), connection);
        create.ExecuteNonQuery();
        transaction.Commit();
        Remember(missing);
    }

    /// <summary>Creates the partitions of the given instants where they are missing.</summary>
    public async Task EnsureAsync(PartitionedTable table, IEnumerable<DateTimeOffset> instants, CancellationToken cancellationToken)
    {
        var missing = Missing(table, instants);
        if (missing.Count == 0) return;
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var create = new NpgsqlCommand(CreateSql(table, missing), connection);
        await create.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Remember(missing);
    }

    /// <summary>Forgets what is known to exist, after a partition turned out to be gone.</summary>
    public void Forget() => _known.Clear();

    List<TablePartition> Missing(PartitionedTable table, IEnumerable<DateTimeOffset> instants) =>
        [.. instants.Select(table.At).Distinct().Where(p => !_known.ContainsKey(p.Name))];

    void Remember(List<TablePartition> partitions)
    {
        foreach (var partition in partitions) _known[partition.Name] = true;
    }

    // Names and bounds are made of our own table names and of dates: nothing in the text comes from outside.
    static string CreateSql(PartitionedTable table, List<TablePartition> partitions)
    {
        var statements = partitions.Select(p => string.Create(
            CultureInfo.InvariantCulture,
            $"CREATE TABLE IF NOT EXISTS {p.Name} PARTITION OF {table.Name} FOR VALUES FROM ('{p.From:yyyy-MM-dd HH:mm:sszzz}') TO ('{p.To:yyyy-MM-dd HH:mm:sszzz}');"));
        return $"SELECT pg_advisory_xact_lock({AdvisoryLocks.Partitions}); {string.Join(' ', statements)}";
    }
}
