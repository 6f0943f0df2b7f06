using Npgsql;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;
using StackExchange.Redis;

namespace StreamMetrics.Query.Stores;

/// <summary>
/// Stands between the service and one store: bounds every wait, turns outages into <see cref="StoreUnavailableException"/>, and leaves a
/// store that failed alone for a moment, so that requests do not all wait for the time limit while it is away.
/// </summary>
sealed class StoreGuard
{
    readonly string _store;
    readonly ILogger _logger;
    readonly ResiliencePipeline _pipeline;
    int _isDown;

    public StoreGuard(string store, TimeSpan timeout, TimeSpan breakDuration, TimeProvider time, ILogger logger)
    {
        _store = store;
        _logger = logger;
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<Exception>(IsOutage),
                FailureRatio = 0.5,
                MinimumThroughput = 2,
                SamplingDuration = 2 * (timeout + breakDuration),
                BreakDuration = breakDuration,
            })
            .AddTimeout(timeout)
            .Build();
    }

    /// <summary>Whether the last answer failed.</summary>
    public bool IsDown => Volatile.Read(ref _isDown) != 0;

    /// <exception cref="StoreUnavailableException">No sensible answer in time.</exception>
    public async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken token)
    {
        try
        {
            var answer = await _pipeline.ExecuteAsync(static async (ask, token) => await ask(token), ask, token);
            if (Interlocked.Exchange(ref _isDown, 0) != 0) Log.StoreReturned(_logger, _store);
            return answer;
        }
        catch (BrokenCircuitException exception)
        {
            throw new StoreUnavailableException(_store, "it failed a moment ago", exception);
        }
        catch (Exception exception) when (IsOutage(exception))
        {
            if (Interlocked.Exchange(ref _isDown, 1) == 0) Log.StoreLost(_logger, _store, exception);
            throw new StoreUnavailableException(_store, exception.Message, exception);
        }
    }

    // FormatException and InvalidDataException: what is stored cannot be read; TimeoutException includes RedisTimeoutException
    static bool IsOutage(Exception exception) =>
        exception is RedisException or NpgsqlException or TimeoutRejectedException or TimeoutException or IOException
            or ObjectDisposedException or FormatException or InvalidDataException;
}
