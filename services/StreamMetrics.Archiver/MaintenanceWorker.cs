using Microsoft.Extensions.Options;
using Npgsql;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Rollups;

namespace StreamMetrics.Archiver;

/// <summary>
/// The work beside the sink, on a thread of its own: roll-ups every few seconds; once an hour the partitions of the coming days.
/// Every instance does it: notes are taken by one of them each, the rest is idempotent.
/// </summary>
sealed class MaintenanceWorker(
    RollupWriter rollups, PartitionStore partitions, DatabaseAvailability database, IOptions<ArchiverOptions> options, TimeProvider time,
    ILogger<MaintenanceWorker> logger) : BackgroundService
{
    const int SeriesPerTransaction = 2_000;
    static readonly TimeSpan RollupInterval = TimeSpan.FromSeconds(10);
    static readonly TimeSpan UpkeepInterval = TimeSpan.FromHours(1);

    /// <summary>Computes every roll-up that is due.</summary>
    /// <returns>How many hours and days of series were computed.</returns>
    public int RollUp(CancellationToken cancellationToken)
    {
        var computed = 0;
        foreach (var tier in RollupTier.All)
        {
            var newest = time.GetUtcNow() - options.Value.RollupDelay - tier.Length;
            int taken;
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                taken = rollups.ComputeSome(tier, newest, SeriesPerTransaction);
                computed += taken;
            }
            while (taken == SeriesPerTransaction);
        }

        return computed;
    }

    /// <summary>Creates the partitions of the coming days.</summary>
    public void Upkeep()
    {
        var today = time.GetUtcNow();
        var days = Enumerable.Range(0, options.Value.PartitionDaysAhead + 1).Select(d => today.AddDays(d)).ToList();
        partitions.Ensure(PartitionedTable.Aggregates, days);
        foreach (var tier in RollupTier.All) partitions.Ensure(tier.Table, days);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Factory.StartNew(() => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    void Run(CancellationToken stopping)
    {
        long? kept = null;
        try
        {
            while (true)
            {
                if (kept is null || time.GetElapsedTime(kept.Value) >= UpkeepInterval)
                {
                    Do(Upkeep, stopping);
                    kept = time.GetTimestamp();
                }

                Do(() => RollUp(stopping), stopping);
                Pause.On(time, RollupInterval, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What was not done is still noted.
        }
    }

    void Do(Action work, CancellationToken stopping)
    {
        try
        {
            database.Run(() => { work(); return true; }, stopping);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.CheckViolation)
        {
            // Another instance was in the way, or a partition was dropped under us: the transaction is undone and the work still noted.
            partitions.Forget();
            Log.MaintenanceRetried(logger, e.Message);
        }
    }
}
