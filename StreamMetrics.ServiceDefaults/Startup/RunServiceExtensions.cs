using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StreamMetrics.ServiceDefaults;
using StreamMetrics.ServiceDefaults.Startup;

namespace Microsoft.Extensions.Hosting;

public static class RunServiceExtensions
{
    /// <summary>
    /// Runs the host until it is stopped. What its user can mend (configuration, connection strings, a port in use, a server that does
    /// not answer) becomes one line <c>error: …</c> on standard error.
    /// </summary>
    /// <returns>The exit code: 0 after an orderly stop, 1 when the start or a worker failed.</returns>
    /// <exception cref="Exception">The start failed by a defect of the program.</exception>
    public static async Task<int> RunServiceAsync(this IHost host, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(host);
        try
        {
            var worker = WatchWorkers(host);
            await RunAsync(host, cancellationToken);
            if (worker.Failure is not { } failure) return 0;
            StartupFailure.Report(StartupFailure.Describe(failure) ?? $"{failure.GetType().Name}: {failure.Message}");
            return 1;
        }
        catch (Exception e) when (StartupFailure.Describe(e) is not null)
        {
            StartupFailure.Report(StartupFailure.Describe(e)!);
            return 1;
        }
        finally
        {
            await DisposeAsync(host);
        }
    }

    static async Task RunAsync(IHost host, CancellationToken cancellationToken)
    {
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            await host.StartAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop while it was starting: that is no failure.
            await host.StopAsync(CancellationToken.None);
            return;
        }

        await host.WaitForShutdownAsync(cancellationToken);
    }

    /// <summary>A failed worker stops the host, but the host does not say why; so this does, as soon as it happens.</summary>
    static WorkerWatch WatchWorkers(IHost host)
    {
        var watch = new WorkerWatch();
        var workers = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToArray();
        var logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("StreamMetrics.Service");
        var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        lifetime.ApplicationStopping.Register(() =>
        {
            foreach (var worker in workers)
            {
                if (worker.ExecuteTask is not { IsFaulted: true, Exception: { } e }) continue;
                var failure = e.InnerException ?? e;
                watch.Failure ??= failure;

                // During the start a server that is not there needs one line; later the stack tells what was being done.
                var isStartFailure = !lifetime.ApplicationStarted.IsCancellationRequested && StartupFailure.Describe(failure) is not null;
                if (!isStartFailure) Log.WorkerFailed(logger, worker.GetType().Name, failure);
            }
        });
        return watch;
    }

    static async ValueTask DisposeAsync(IHost host)
    {
        if (host is IAsyncDisposable disposable) await disposable.DisposeAsync();
        else host.Dispose();
    }

    sealed class WorkerWatch
    {
        public Exception? Failure { get; set; }
    }
}
