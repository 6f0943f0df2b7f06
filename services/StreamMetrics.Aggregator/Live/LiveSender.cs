using System.Diagnostics;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;

namespace StreamMetrics.Aggregator.Live;

/// <summary>
/// The network's side of the live lane: takes filled buffers and writes them. A buffer that could not be written is kept and written again,
/// which the script makes safe; meanwhile its series stay dirty, so when Redis is back it gets the newest state of each at once.
/// </summary>
/// <param name="redis">Redis.</param>
/// <param name="shared">What owner threads and sender share.</param>
/// <param name="options">Options.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
sealed class LiveSender(IConnectionMultiplexer redis, LiveShared shared, IOptions<LiveLaneOptions> options, TimeProvider time, ILogger<LiveSender> logger)
    : BackgroundService
{
    readonly ResiliencePipeline _pipeline = RedisResilience.Build(time, logger);
    readonly List<LiveBuffer> _buffers = [];
    readonly List<Task<RedisResult>> _calls = [];
    readonly LiveTracing _tracing = new();

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await shared.Filled.WaitToReadAsync(stoppingToken))
            {
                while (shared.Filled.TryRead(out var buffer)) _buffers.Add(buffer);
                await WriteUntilDoneAsync(stoppingToken);
                foreach (var buffer in _buffers) buffer.Lane.Return(buffer);
                _buffers.Clear();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // A stop: what is not written is provisional, and the next owner writes it.
        }
    }

    async Task WriteUntilDoneAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await _pipeline.ExecuteAsync(WriteAsync, stop);
                return;
            }
            catch (Exception e) when (e is BrokenCircuitException || RedisResilience.IsTransient(e))
            {
                shared.Metrics.LiveFailed();
                await Task.Delay(RedisResilience.Pause, time, stop);
            }
        }
    }

    async ValueTask WriteAsync(CancellationToken stop)
    {
        _calls.Clear();
        var database = redis.GetDatabase();
        foreach (var buffer in _buffers)
        {
            for (var i = 0; i < buffer.Count; i++) _calls.Add(LiveScript.CallAsync(database, buffer[i].Keys, buffer[i].Arguments));
        }

        _tracing.Started(_buffers);
        try
        {
            await Task.WhenAll(_calls).WaitAsync(options.Value.Timeout, time, stop);
            _tracing.Ended(ActivityStatusCode.Unset);
        }
        catch (Exception e)
        {
            _tracing.Ended(ActivityStatusCode.Error, e.Message);
            throw;
        }

        NoteVisible();
    }

    void NoteVisible()
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var written = 0;
        foreach (var buffer in _buffers)
        {
            written += buffer.Count;
            for (var i = 0; i < buffer.Count; i++)
            {
                if (buffer[i].NewestEvent is { } newest) buffer.Lane.Latency.Add(now - newest, buffer[i].IsWatched, now);
            }
        }

        shared.Metrics.LiveWritten(written);
    }
}
