using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using StreamMetrics.Archiver.Archive;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Rollups;

namespace StreamMetrics.Archiver.Retention;

/// <summary>
/// Drops what is older than each tier keeps, by whole partitions, so that nothing is scanned and no space is left behind. A partition goes when
/// its last instant is old enough, every roll-up of it has been computed, and, where there is an archive, what it holds at that moment is there.
/// </summary>
/// <param name="source">The database.</param>
/// <param name="partitions">Partitions that are known to exist.</param>
/// <param name="archive">Where partitions go first; null: nowhere.</param>
/// <param name="state">What the health check tells.</param>
/// <param name="metrics">Metrics.</param>
/// <param name="options">How long everything is kept.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Log.</param>
sealed class Retainer(
    NpgsqlDataSource source, PartitionStore partitions, ColdArchive? archive, ArchiveState state, ArchiverMetrics metrics, IOptions<ArchiverOptions> options,
    TimeProvider time, ILogger<Retainer> logger)
{
    /// <summary>Archives and drops what is due. One instance does it at a time; for the others there is nothing to do.</summary>
    /// <returns>False when the archive did not take something, which stays for the next try.</returns>
    public async Task<bool> DropExpiredAsync(CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        if (!await AdvisoryLocks.TryTakeForSessionAsync(connection, AdvisoryLocks.Retention, cancellationToken)) return true;
        try
        {
            var now = time.GetUtcNow();
            var isDone = await DropAsync(connection, PartitionedTable.Aggregates, now - options.Value.RawRetention, cancellationToken);
            isDone &= await DropAsync(connection, RollupTier.Hourly.Table, now - options.Value.HourlyRetention, cancellationToken);
            isDone &= await DropAsync(connection, RollupTier.Daily.Table, now - options.Value.DailyRetention, cancellationToken);
            await DeleteRejectsAsync(connection, now - options.Value.RawRetention, cancellationToken);
            if (isDone) state.Worked();
            return isDone;
        }
        finally
        {
            await AdvisoryLocks.ReleaseForSessionAsync(connection, AdvisoryLocks.Retention);
        }
    }

    static async Task DeleteRejectsAsync(NpgsqlConnection connection, DateTimeOffset keepFrom, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("DELETE FROM sink_rejects WHERE created_at < $1", connection);
        command.Parameters.Add(new() { Value = keepFrom.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    async Task<bool> DropAsync(NpgsqlConnection connection, PartitionedTable table, DateTimeOffset keepFrom, CancellationToken cancellationToken)
    {
        foreach (var partition in (await RetentionSql.ExistingAsync(connection, table, cancellationToken)).Where(p => p.To <= keepFrom).OrderBy(p => p.From))
        {
            if (await RetentionSql.KeptUntilAsync(connection, partition, cancellationToken) is { } until && until > time.GetUtcNow()) continue;
            if (await RetentionSql.IsAwaitedAsync(connection, table, partition, cancellationToken))
            {
                Log.PartitionAwaited(logger, partition.Name);
                return true;
            }

            try
            {
                var archived = archive is null ? null : await ArchiveAsync(archive, connection, table, partition, cancellationToken);
                if (archived is { IsLeftOver: true }) continue;
                if (!await TryDropAsync(connection, table, partition, archived?.Manifest, cancellationToken)) return true;
            }
            catch (Exception e) when (!DatabaseAvailability.IsOutage(e) && ArchiveException.IsFailure(e, cancellationToken))
            {
                Log.ArchiveFailed(logger, partition.Name, e.Message);
                state.Failed(partition.Name, e.Message);
                metrics.ArchiveFailed();
                return false;
            }
        }

        return true;
    }

    /// <param name="Manifest">What the archive has of it; null for a partition without rows.</param>
    /// <param name="IsLeftOver">It holds rows that came after it was archived and dropped: they belong to the archived ones and must not replace them.</param>
    sealed record Archived(ArchiveManifest? Manifest, bool IsLeftOver = false);

    async Task<Archived> ArchiveAsync(
        ColdArchive cold, NpgsqlConnection connection, PartitionedTable table, TablePartition partition, CancellationToken cancellationToken)
    {
        var manifest = await cold.FindAsync(partition.Name, cancellationToken);
        var content = await RetentionSql.ContentAsync(connection, partition, manifest?.Columns, cancellationToken);
        if (content.Rows == 0) return new(null);
        if (manifest is not null && manifest.Content == content)
        {
            await cold.VerifyAsync(manifest, cancellationToken);
            return new(manifest);
        }

        var wasDropped = manifest is not null && await RetentionSql.WasDroppedAsync(connection, table, partition, cancellationToken)
            && await RetentionSql.KeptUntilAsync(connection, partition, cancellationToken) is null;
        if (!wasDropped) return new(await cold.ExportAsync(connection, table, partition, cancellationToken));
        Log.PartitionLeftOver(logger, partition.Name, content.Rows);
        return new(manifest, IsLeftOver: true);
    }

    /// <returns>False when it has to stay for now, and with it all younger ones.</returns>
    async Task<bool> TryDropAsync(
        NpgsqlConnection connection, PartitionedTable table, TablePartition partition, ArchiveManifest? archived, CancellationToken cancellationToken)
    {
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            // Whoever reads the table for long makes the drop wait, and everybody else behind it: better try again later.
            await RetentionSql.ExecuteAsync(
                connection, $"SET LOCAL lock_timeout = '2s'; SELECT pg_advisory_xact_lock({AdvisoryLocks.Partitions}); LOCK TABLE {partition.Name} IN SHARE MODE", cancellationToken);
            if (archive is not null && !await IsUnchangedAsync(connection, partition, archived, cancellationToken))
            {
                Log.PartitionChanged(logger, partition.Name);
                return false;
            }

            await RetentionSql.DropAsync(connection, table, partition, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
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

    // Nobody can write to it any more, and it is what the archive has: a row that came during the export is not lost.
    static async Task<bool> IsUnchangedAsync(NpgsqlConnection connection, TablePartition partition, ArchiveManifest? archived, CancellationToken cancellationToken)
    {
        await RetentionSql.ExecuteAsync(connection, TableContent.TextSettings, cancellationToken);
        var columns = archived?.Columns ?? await TableContent.ColumnsAsync(connection, partition.Name, cancellationToken);
        var content = await TableContent.ReadAsync(connection, partition.Name, columns, cancellationToken);
        return archived is null ? content.Rows == 0 : content == archived.Content;
    }
}
