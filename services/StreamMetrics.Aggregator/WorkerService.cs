using Microsoft.Extensions.Options;
using StreamMetrics.ServiceDefaults.Startup;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Aggregator;

/// <summary>Runs the workers, each on a thread of its own. A worker that fails ends the process: a restart is the cure, a dead loop in a healthy process is not.</summary>
/// <param name="options">Options.</param>
/// <param name="metrics">Metrics.</param>
/// <param name="live">Live lane, if there is one.</param>
/// <param name="catalog">What is known of services.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
sealed class WorkerService(IOptions<WorkerOptions> options, AggregatorMetrics metrics, IServiceCatalog catalog, TimeProvider time, ILogger<Worker> logger, ILiveLane? live = null)
    : BackgroundService
{
    /// <summary>Signs of life, one per worker.</summary>
    public IReadOnlyList<WorkerHealth> Health { get; private set; } = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var workers = CreateWorkers();
        Health = [.. workers.Select(w => w.Health)];
        await Task.WhenAll(workers.Select(worker => Task.Factory.StartNew(
            () => Run(worker, stop),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));
    }

    Worker[] CreateWorkers()
    {
        try
        {
            return [.. Enumerable.Range(0, options.Value.Workers).Select(i => new Worker(options.Value, i, metrics, live, time, logger, catalog))];
        }
        catch (FatalWorkerException e)
        {
            throw new StartupException(e.Message, e);
        }
    }

    static void Run(Worker worker, CancellationTokenSource stop)
    {
        using (worker)
        {
            try
            {
                worker.Run(stop.Token);
            }
            finally
            {
                stop.Cancel(); // one that fails takes the others with it
            }
        }
    }
}
