using Microsoft.Extensions.Options;
using Npgsql;
using StreamMetrics.Archiver.Archive;
using StreamMetrics.Archiver.Database;

namespace StreamMetrics.Archiver.Retention;

/// <summary>
/// Retention, once an hour, and sooner after the archive failed. Apart from the other upkeep, since an export may take long.
/// </summary>
sealed class RetentionWorker(
    Retainer retainer, PartitionStore partitions, DatabaseAvailability database, IOptions<ArchiveOptions> archive, TimeProvider time, ILogger<RetentionWorker> logger)
    : BackgroundService
{
    static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!archive.Value.IsConfigured) Log.NoArchive(logger);
        try
        {
            while (true)
            {
                var isDone = await DropExpiredAsync(stoppingToken);
                await Task.Delay(isDone ? Interval : archive.Value.RetryInterval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What has expired is found again.
        }
    }

    async Task<bool> DropExpiredAsync(CancellationToken stopping)
    {
        try
        {
            return await database.RunAsync(() => retainer.DropExpiredAsync(stopping), stopping);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.UndefinedTable)
        {
            // Another instance was in the way: the transaction is undone, and what has expired is found again.
            partitions.Forget();
            Log.MaintenanceRetried(logger, e.Message);
            return false;
        }
    }
}
