using System.Globalization;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;
using StreamMetrics.Aggregator.Catalog;
using StreamMetrics.Contracts;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Aggregator.Live;

/// <summary>
/// What goes on beside the values: the id of the input topic, what is watched, whether Redis has lost its contents, each partition's status
/// once a second, and the service catalog.
/// </summary>
/// <param name="redis">Redis.</param>
/// <param name="lane">The lane, which holds the statuses.</param>
/// <param name="shared">What owner threads and sender share.</param>
/// <param name="worker">Names the brokers.</param>
/// <param name="catalog">Read by the query service from Redis.</param>
/// <param name="options">Options.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
sealed class LiveAttendant(
    IConnectionMultiplexer redis,
    RedisLiveLane lane,
    LiveShared shared,
    IOptions<WorkerOptions> worker,
    ServiceCatalog catalog,
    IOptions<LiveLaneOptions> options,
    TimeProvider time,
    ILogger<LiveAttendant> logger) : BackgroundService
{
    /// <summary>How often interest is read: what is newly watched is fast within this.</summary>
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    static readonly TimeSpan StatusTimeToLive = TimeSpan.FromSeconds(30);

    static readonly TimeSpan ProbeTimeToLive = TimeSpan.FromHours(1);

    readonly ResiliencePipeline _pipeline = RedisResilience.Build(time, logger);
    readonly RedisKey _probeKey = $"aggregator:probe:{Guid.NewGuid():n}";
    int _version;
    long _probe;
    long _acknowledgedProbe;
    (CatalogSnapshot Catalog, int Epoch) _written = (CatalogSnapshot.Empty, 0);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            shared.TopicId = await FindTopicIdAsync(stoppingToken);
            using var timer = new PeriodicTimer(Interval, time);
            do
            {
                await TurnAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // A stop.
        }
    }

    async Task TurnAsync(CancellationToken stop)
    {
        try
        {
            await _pipeline.ExecuteAsync(
                async token =>
                {
                    var database = redis.GetDatabase();
                    await Task.WhenAll(ReadInterestAsync(database), ProbeAsync(database), ReportAsync(database), WriteCatalogAsync(database)).WaitAsync(options.Value.Timeout, time, token);
                },
                stop);
        }
        catch (Exception e) when (e is BrokenCircuitException || RedisResilience.IsTransient(e))
        {
            shared.Metrics.LiveFailed(); // the next turn tries again
        }
    }

    async Task ReadInterestAsync(IDatabase database)
    {
        var members = await database.SortedSetRangeByScoreAsync(RedisKeys.Interest, time.GetUtcNow().ToUnixTimeMilliseconds(), double.PositiveInfinity);
        var names = members.Select(m => SeriesName.Parse(m.ToString())).OfType<SeriesName>().ToHashSet();
        shared.Interest = new(++_version, names);
    }

    /// <summary>
    /// Counts in a key of our own. Finding a smaller number than the last one that was acknowledged, or none, means that Redis has lost
    /// what was written: it was emptied, or restored from an older snapshot.
    /// </summary>
    async Task ProbeAsync(IDatabase database)
    {
        var number = ++_probe;
        var acknowledged = _acknowledgedProbe; // as of now: while this one is under way a later one may be acknowledged
        var before = await database.StringSetAndGetAsync(_probeKey, number, ProbeTimeToLive);
        if (acknowledged > 0 && (before.IsNull || (long)before < acknowledged))
        {
            Log.RedisEmptied(logger);
            shared.NewEpoch();
        }

        _acknowledgedProbe = Math.Max(_acknowledgedProbe, number); // an answer may come after a later one
    }

    async Task ReportAsync(IDatabase database)
    {
        foreach (var status in lane.Reports.Values)
        {
            if (!lane.Reports.TryRemove(new(status.Partition, status))) continue;
            var json = JsonSerializer.SerializeToUtf8Bytes(status, ContractsJson.Default.PartitionStatus);
            await database.StringSetAsync(RedisKeys.Pipeline(status.Partition), json, StatusTimeToLive);
        }
    }

    // After each change of the file, and when Redis has lost it.
    async Task WriteCatalogAsync(IDatabase database)
    {
        var wanted = (catalog.Snapshot, shared.Epoch);
        if (wanted == _written) return;
        var change = database.CreateTransaction();
        var entries = wanted.Snapshot.Services.Select(s => new HashEntry(s.Key, s.Value)).ToArray();
        var writes = change.KeyDeleteAsync(RedisKeys.ServiceAttributes) as Task;
        if (entries.Length > 0) writes = Task.WhenAll(writes, change.HashSetAsync(RedisKeys.ServiceAttributes, entries));
        await change.ExecuteAsync();
        await writes;
        _written = wanted;
    }

    async Task<string> FindTopicIdAsync(CancellationToken stop)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig(new Dictionary<string, string>(worker.Value.Kafka)) { BootstrapServers = worker.Value.BootstrapServers })
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { }) // the call reports its own errors
            .Build();
        while (true)
        {
            try
            {
                var answer = await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([Topics.Events]), new() { RequestTimeout = TimeSpan.FromSeconds(10) }).WaitAsync(stop);
                var id = answer.TopicDescriptions[0].TopicId;
                return string.Create(CultureInfo.InvariantCulture, $"{id.MostSignificantBits:x16}{id.LeastSignificantBits:x16}");
            }
            catch (KafkaException e)
            {
                Log.TopicIdUnknown(logger, e.Error.Reason);
                await Task.Delay(TimeSpan.FromSeconds(1), time, stop);
            }
        }
    }
}
