using Confluent.Kafka;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;
using StackExchange.Redis;
using StreamMetrics.Query.Pipeline;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.Query.Stores;

/// <summary>
/// Waits at start until Kafka and both stores answer. One that does not most likely has a wrong connection string, and then a service that starts
/// and answers half of the questions helps nobody.
/// </summary>
sealed class StoreProbe(IServiceProvider services, IOptions<QueryOptions> options, TimeProvider time) : IHostedLifecycleService
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        // asked for here, so that a string that cannot be read stops the start in any case
        var kafka = services.GetRequiredService<KafkaOffsets>();
        var redis = services.GetRequiredService<IConnectionMultiplexer>();
        var postgres = services.GetRequiredService<NpgsqlDataSource>();
        if (!options.Value.RequireStoresAtStart) return;
        if (kafka.IsConfigured) await UntilItAnswersAsync(KafkaOffsets.Key, "Kafka", kafka.PingAsync, cancellationToken);
        await UntilItAnswersAsync("ConnectionStrings:redis", "Redis", async t => await redis.GetDatabase().PingAsync().WaitAsync(t), cancellationToken);
        await UntilItAnswersAsync("ConnectionStrings:streammetrics", "PostgreSQL", async t =>
        {
            await using var command = postgres.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(t);
        }, cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    async Task UntilItAnswersAsync(string key, string store, Func<CancellationToken, Task> ask, CancellationToken token)
    {
        using var deadline = new CancellationTokenSource(options.Value.StartTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, token);
        var reason = "no answer";
        while (true)
        {
            try
            {
                await ask(either.Token);
                return;
            }
            // what waiting does not mend: a password, a user or a database that is wrong
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification
                or PostgresErrorCodes.InvalidCatalogName)
            {
                throw new StartupException($"{key}: {e.MessageText}", e);
            }
            catch (KafkaException e) when (services.GetRequiredService<KafkaOffsets>().Refusal is { } refusal)
            {
                throw new StartupException(refusal, e);
            }
            catch (Exception e) when (e is RedisException or NpgsqlException or KafkaException or TimeoutException)
            {
                reason = e.Message;
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                // the time limit, below
            }

            if (deadline.IsCancellationRequested) throw new StartupException(TimeoutMessage(key, store, reason));
            await Task.Delay(Pause, time, token);
        }
    }

    string TimeoutMessage(string key, string store, string reason) =>
        $"{key}: {store} did not answer within {options.Value.StartTimeout.TotalSeconds:0} s ({reason}); {QueryOptions.Section}:{nameof(QueryOptions.StartTimeout)} "
        + $"sets how long to wait, {QueryOptions.Section}:{nameof(QueryOptions.RequireStoresAtStart)}=false starts without it.";
}

/// <summary>Healthy with both stores, degraded (still 200) with one, unhealthy with none.</summary>
sealed class StoresHealthCheck(IHotStore hot, IColdStore cold) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var redis = await ProblemOfAsync(() => hot.PipelineAsync(1, cancellationToken));
        var postgres = await ProblemOfAsync(() => cold.PingAsync(cancellationToken));
        return (redis, postgres) switch
        {
            (null, null) => HealthCheckResult.Healthy(),
            (not null, not null) => HealthCheckResult.Unhealthy($"{redis}; {postgres}"),
            _ => HealthCheckResult.Degraded(redis ?? postgres),
        };
    }

    static async Task<string?> ProblemOfAsync(Func<Task> ask)
    {
        try
        {
            await ask();
            return null;
        }
        catch (StoreUnavailableException exception)
        {
            return exception.Message;
        }
    }
}
