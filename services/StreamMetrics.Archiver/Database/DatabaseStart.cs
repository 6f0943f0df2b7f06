using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Npgsql;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.Archiver.Database;

/// <summary>
/// Before any worker starts: waits for PostgreSQL, brings the schema up to date and creates the partitions of the coming days. A server
/// that is not up yet is waited for; a wrong host, user or database ends the start at once.
/// </summary>
sealed class DatabaseStart(
    NpgsqlDataSource source, Migrator migrator, PartitionStore partitions, IOptions<ArchiverOptions> options, TimeProvider time, ILogger<DatabaseStart> logger)
    : IHostedLifecycleService
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                await migrator.MigrateAsync(cancellationToken);
                var today = time.GetUtcNow();
                await partitions.EnsureAsync(
                    PartitionedTable.Aggregates, Enumerable.Range(-1, options.Value.PartitionDaysAhead + 2).Select(d => today.AddDays(d)), cancellationToken);
                return;
            }
            catch (Exception e) when (DatabaseAvailability.IsOutage(e) && !IsMistake(e))
            {
                if (time.GetElapsedTime(started) > options.Value.StartupTimeout) throw Failure(e);
                Log.WaitingForDatabase(logger, e.Message);
            }
            catch (NpgsqlException e)
            {
                throw Failure(e);
            }

            await Task.Delay(Interval, time, cancellationToken);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // A name that does not exist stays so; what refuses connections may be starting.
    static bool IsMistake(Exception exception) =>
        exception.GetBaseException() is SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData };

    StartupException Failure(Exception e) =>
        new($"ConnectionStrings:streammetrics: {e.GetBaseException().Message} ({Server()})", e);

    string Server()
    {
        var settings = new NpgsqlConnectionStringBuilder(source.ConnectionString);
        return $"host {settings.Host}, port {settings.Port}, database {settings.Database}, user {settings.Username}";
    }
}
