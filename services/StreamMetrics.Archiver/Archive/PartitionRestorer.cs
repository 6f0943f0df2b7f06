using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using StreamMetrics.Archiver.Database;

namespace StreamMetrics.Archiver.Archive;

/// <summary>Puts an archived partition back into its table, in one transaction: all its rows, to the bit, or nothing.</summary>
sealed class PartitionRestorer(NpgsqlDataSource source, ColdArchive archive, IOptions<ArchiveOptions> options, TimeProvider time)
{
    /// <summary>Restores a partition.</summary>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="keep">How long retention leaves it alone; null: as the options say.</param>
    /// <param name="cancellationToken">Ends it; nothing is changed then.</param>
    /// <returns>False when it was there already, with the same rows; it is kept longer then.</returns>
    /// <exception cref="ArchiveException">The archive is damaged, or the partition holds other rows.</exception>
    public async Task<bool> RestoreAsync(ArchiveManifest manifest, TimeSpan? keep, CancellationToken cancellationToken)
    {
        var table = ArchivedTables.Find(manifest.Table);
        if (table?.Parse(manifest.Partition) is not { } partition) throw new ArchiveException($"{manifest.Partition} is no partition of a table that this program knows.");
        await new PartitionStore(source).EnsureAsync(table, [partition.From], cancellationToken);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, $"{TableContent.TextSettings}; LOCK TABLE {partition.Name} IN SHARE ROW EXCLUSIVE MODE", cancellationToken);
        var columns = manifest.Columns;
        var unknown = columns.Except(await TableContent.ColumnsAsync(connection, partition.Name, cancellationToken)).ToList();
        if (unknown.Count > 0) throw new ArchiveException($"{manifest.Partition} was archived with columns that {manifest.Table} does not have: {string.Join(", ", unknown)}.");
        var content = await TableContent.ReadAsync(connection, partition.Name, columns, cancellationToken);
        var isThere = content == manifest.Content;
        if (!isThere)
        {
            if (content.Rows > 0) throw new ArchiveException($"{manifest.Partition} is in the database and has {content.Rows} rows that are not the archived ones; nothing was restored.");
            await CopyAsync(connection, manifest, cancellationToken);
            content = await TableContent.ReadAsync(connection, partition.Name, columns, cancellationToken);
            if (content != manifest.Content) throw new ArchiveException($"{manifest.Partition} would have {content} after the restore, its manifest says {manifest.Content}; nothing was restored.");
        }

        await KeepAsync(connection, partition, time.GetUtcNow() + (keep ?? options.Value.RestoredRetention), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return !isThere;
    }

    async Task CopyAsync(NpgsqlConnection connection, ArchiveManifest manifest, CancellationToken cancellationToken)
    {
        await using var writer = (StreamWriter)await connection.BeginTextImportAsync(
            $"COPY {manifest.Partition} ({TableContent.List(manifest.Columns)}) FROM STDIN", cancellationToken);
        // The writer's bytes, so that nothing is encoded. A failure leaves the transaction undone, whatever was copied.
        await archive.ReadAsync(manifest, writer.BaseStream, cancellationToken);
    }

    static async Task KeepAsync(NpgsqlConnection connection, TablePartition partition, DateTimeOffset until, CancellationToken cancellationToken)
    {
        await using var note = new NpgsqlCommand(
            """
            INSERT INTO restored_partitions AS r (partition, keep_until) VALUES ($1, $2)
            ON CONFLICT (partition) DO UPDATE SET keep_until = greatest(r.keep_until, excluded.keep_until)
            """, connection);
        note.Parameters.Add(new() { Value = partition.Name });
        note.Parameters.Add(new() { Value = until.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await note.ExecuteNonQueryAsync(cancellationToken);
    }

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
