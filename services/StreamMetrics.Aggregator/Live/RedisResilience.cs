using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;

namespace StreamMetrics.Aggregator.Live;

/// <summary>How the live lane bears a Redis that is slow or away.</summary>
static class RedisResilience
{
    /// <summary>Time between two attempts: also while the circuit is open, when an attempt costs nothing.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>A circuit breaker: after a few failures in a row Redis is left alone for a second.</summary>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    public static ResiliencePipeline Build(TimeProvider time, ILogger logger) => new ResiliencePipelineBuilder { TimeProvider = time }
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions
        {
            FailureRatio = 0.9,
            MinimumThroughput = 3,
            SamplingDuration = TimeSpan.FromSeconds(1),
            BreakDuration = TimeSpan.FromSeconds(1),
            ShouldHandle = new PredicateBuilder().Handle<Exception>(IsTransient),
            OnOpened = arguments =>
            {
                Log.RedisAway(logger, arguments.Outcome.Exception?.Message ?? "no answer");
                return default;
            },
            OnClosed = _ =>
            {
                Log.RedisBack(logger);
                return default;
            },
        })
        .Build();

    /// <summary>Errors of Redis and of the way to it: all may pass.</summary>
    /// <param name="e">The exception.</param>
    public static bool IsTransient(Exception e) => e is RedisException or RedisTimeoutException or TimeoutException;
}
