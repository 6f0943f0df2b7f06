using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Sink;
using StreamMetrics.Contracts;

namespace StreamMetrics.Archiver.History;

/// <summary>
/// Keeps the final windows that reach into the last hour in Redis (<c>history:*</c>, docs/formats/redis.md): every row as PostgreSQL has it, written after the
/// transaction. Redis may be slow, away or emptied and never holds up the sink: what could not be written is not queued without end but
/// read again from PostgreSQL. <see cref="RedisKeys.HistoryComplete"/> is set after such a filling; where it is missing, Redis was emptied.
/// </summary>
sealed class HotHistory(Lazy<IConnectionMultiplexer> redis, HistoryRows rows, ArchiverMetrics metrics, TimeProvider time, ILogger<HotHistory> logger)
    : BackgroundService, IHealthCheck
{
    const int MaxQueuedBatches = 64;
    const int WritesInFlight = 500;

    // Readers' clocks may be behind ours: a window stays a little longer than anybody should want it.
    static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);
    static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(2);
    static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);

    readonly Channel<ChangedRows> _queue =
        Channel.CreateBounded<ChangedRows>(new BoundedChannelOptions(MaxQueuedBatches) { SingleReader = true });

    // 1: something may be missing in Redis, fill it from PostgreSQL.
    int _fill = 1;
    volatile string? _away;

    /// <summary>Takes rows that were written to PostgreSQL; returns at once. They must not be changed any more.</summary>
    public void Offer(IEnumerable<AggregateRow> changed)
    {
        var oldest = Oldest();
        var hot = changed.Where(r => r.End > oldest).ToList();
        if (hot.Count > 0 && !_queue.Writer.TryWrite(new(hot, Activity.Current?.Context))) RequestFill();
    }

    /// <summary>Has the last hour read again from PostgreSQL.</summary>
    public void RequestFill() => Volatile.Write(ref _fill, 1);

    /// <summary>Degraded while Redis is away: the sink goes on without it.</summary>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_away is { } reason ? HealthCheckResult.Degraded($"Redis is away: {reason}") : HealthCheckResult.Healthy());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A connection that broke may lead to a server that went back to an older state.
        redis.Value.ConnectionRestored += (_, _) => RequestFill();
        try
        {
            while (true)
            {
                if (!await TryWorkAsync(stoppingToken)) await Task.Delay(RetryPause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What is still queued is in PostgreSQL; the next start fills it in.
        }
    }

    /// <returns>False when Redis or PostgreSQL failed, which calls for a pause and a filling.</returns>
    async Task<bool> TryWorkAsync(CancellationToken cancellationToken)
    {
        try
        {
            var database = redis.Value.GetDatabase();
            var isFilled = await database.KeyExistsAsync(RedisKeys.HistoryComplete);
            if (Interlocked.Exchange(ref _fill, 0) == 1 || !isFilled) await FillAsync(database, cancellationToken);
            _away = null;
            await DrainAsync(database, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is RedisException or RedisTimeoutException)
        {
            if (_away is null) Log.RedisAway(logger, e.Message);
            _away = e.Message;
        }
        catch (Exception e) when (DatabaseAvailability.IsOutage(e))
        {
            // The sink tells of it.
        }

        RequestFill();
        return false;
    }

    async Task FillAsync(IDatabase database, CancellationToken cancellationToken)
    {
        // What is queued now is in PostgreSQL and will be read from there.
        while (_queue.Reader.TryRead(out _))
        {
        }

        var written = 0L;
        var chunk = new List<AggregateRow>(WritesInFlight);
        await foreach (var row in rows.ReadAsync(Oldest() - WindowLengths.Longest, cancellationToken))
        {
            if (row.End <= Oldest()) continue;
            chunk.Add(row);
            if (chunk.Count < WritesInFlight) continue;
            written += await WriteAsync(database, chunk);
            chunk.Clear();
        }

        written += await WriteAsync(database, chunk);
        await database.StringSetAsync(RedisKeys.HistoryComplete, time.GetUtcNow().ToUnixTimeMilliseconds());
        Log.HistoryFilled(logger, written);
    }

    /// <summary>Writes what comes, until it is time to look at the state of Redis again.</summary>
    async Task DrainAsync(IDatabase database, CancellationToken cancellationToken)
    {
        using var interval = new CancellationTokenSource(CheckInterval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, interval.Token);
        try
        {
            while (Volatile.Read(ref _fill) == 0 && await _queue.Reader.WaitToReadAsync(either.Token))
            {
                while (_queue.Reader.TryRead(out var changed))
                {
                    using var span = changed.Origin is { } origin ? SinkTracing.StartHistory(origin, changed.Rows.Count) : null;
                    foreach (var chunk in changed.Rows.Chunk(WritesInFlight)) await WriteAsync(database, chunk);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The interval is over.
        }
    }

    async Task<int> WriteAsync(IDatabase database, IReadOnlyCollection<AggregateRow> chunk)
    {
        if (chunk.Count == 0) return 0;
        var oldest = Oldest();
        await Task.WhenAll(chunk.Select(row => WriteAsync(database, row, oldest)));
        metrics.HistoryWritten(chunk.Count);
        return chunk.Count;
    }

    static Task<RedisResult> WriteAsync(IDatabase database, AggregateRow row, long oldest)
    {
        var key = RedisKeys.History(row.Key.ServiceId, row.Key.MetricName, row.Key.Window, row.Key.TagsHash);
        var member = JsonSerializer.SerializeToUtf8Bytes(row.ToAggregate(), ContractsJson.Default.Aggregate);
        return database.ScriptEvaluateAsync(HistoryScript.Text, [key], [row.Key.Start, row.Revision, member, oldest - (row.End - row.Key.Start) + 1, (long)RedisKeys.TimeToLive.TotalSeconds]);
    }

    // A window that ended by then is of no use to a question about the last hour.
    long Oldest() => (time.GetUtcNow() - RedisKeys.TimeToLive - Margin).ToUnixTimeMilliseconds();

    /// <summary>Rows that were written to PostgreSQL, and the span of the batch they came in if that is traced.</summary>
    readonly record struct ChangedRows(List<AggregateRow> Rows, ActivityContext? Origin);
}
