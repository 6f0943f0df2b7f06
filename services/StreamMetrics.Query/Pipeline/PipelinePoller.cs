using Confluent.Kafka;
using Microsoft.Extensions.Options;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Stores;

namespace StreamMetrics.Query.Pipeline;

/// <summary>Gathers the state of the pipeline about once a second, whatever the number of those who ask for it.</summary>
sealed class PipelinePoller(
    PipelineState state, IHotStore hot, IColdStore cold, KafkaOffsets kafka, IOptions<QueryOptions> options, TimeProvider time,
    ILogger<PipelinePoller> logger) : BackgroundService
{
    static readonly int Partitions = Topics.All.Single(t => t.Name == Topics.Events).Partitions;

    readonly PipelineRates _rates = new(options.Value.RateSpan);
    bool _isKafkaDown;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.PollInterval, time);
        do
        {
            state.Current = await PollAsync(stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    async Task<PipelineAnswer> PollAsync(CancellationToken token)
    {
        // Never abandoned, not even at shutdown: the client's native handle must not be closed under a request.
        var offsetsTask = OffsetsAsync();
        try
        {
            var coldTask = IsUpAsync(() => cold.PingAsync(token));
            IReadOnlyList<PartitionStatus?> statuses = [];
            var isHotUp = await IsUpAsync(async () => statuses = await hot.PipelineAsync(Partitions, token));
            var isColdUp = await coldTask;
            var offsets = await offsetsTask;
            return Combine(statuses, offsets, new Dictionary<string, string>
            {
                ["kafka"] = UpOrDown(offsets is not null),
                ["redis"] = UpOrDown(isHotUp),
                ["postgresql"] = UpOrDown(isColdUp),
            });
        }
        finally
        {
            await offsetsTask;
        }
    }

    static string UpOrDown(bool isUp) => isUp ? "up" : "down";

    PipelineAnswer Combine(IReadOnlyList<PartitionStatus?> statuses, IReadOnlyList<PartitionOffsets>? offsets, IReadOnlyDictionary<string, string> dependencies)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (statuses.Count > 0) _rates.Add(now, statuses);
        var partitions = new PartitionAnswer[Partitions];
        for (var p = 0; p < Partitions; p++) partitions[p] = ToAnswer(p, p < statuses.Count ? statuses[p] : null, offsets?[p]);
        return new()
        {
            Time = now,
            Partitions = partitions,
            EventsPerSecond = _rates.EventsPerSecond,
            AggregatesPerSecond = _rates.AggregatesPerSecond,
            Lag = offsets is null ? null : partitions.Sum(p => p.Lag ?? 0),
            VisibleP99Ms = VisibleP99(statuses),
            DeadLetters = _rates.DeadLetters,
            Late = _rates.Late,
            Dependencies = dependencies,
        };
    }

    // One series that somebody watches says more than all that are held back on purpose.
    static double? VisibleP99(IReadOnlyList<PartitionStatus?> statuses)
    {
        var watched = statuses.Any(s => s is { VisibleWatched: true });
        return statuses.Where(s => s is not null && s.VisibleWatched == watched).Max(s => s!.VisibleP99Ms);
    }

    static PartitionAnswer ToAnswer(int partition, PartitionStatus? status, PartitionOffsets? offsets) => new()
    {
        Partition = partition,
        Owner = status?.Owner,
        Time = status?.Time,
        Position = status?.Position,
        Committed = status?.Committed ?? offsets?.Committed,
        Watermark = status?.Watermark,
        OpenWindows = status?.OpenWindows,
        Series = status?.Series,
        Events = status?.Events,
        Aggregates = status?.Aggregates,
        DeadLetters = status?.DeadLetters,
        Late = status?.Late,
        CommitMs = status?.CommitMs,
        VisibleP99Ms = status?.VisibleP99Ms,
        // the group's offset and the owner's word may be a second apart: the newer one counts
        Lag = offsets is { } o ? Math.Max(0, o.End - Math.Max(o.Committed, status?.Committed ?? 0)) : null,
    };

    async Task<IReadOnlyList<PartitionOffsets>?> OffsetsAsync()
    {
        if (!kafka.IsConfigured) return null;
        try
        {
            var offsets = await kafka.ReadAsync(Partitions);
            if (_isKafkaDown) Log.KafkaReturned(logger);
            _isKafkaDown = false;
            return offsets;
        }
        catch (KafkaException exception)
        {
            if (!_isKafkaDown) Log.KafkaLost(logger, exception.Error.Reason);
            _isKafkaDown = true;
            return null;
        }
    }

    static async Task<bool> IsUpAsync(Func<Task> ask)
    {
        try
        {
            await ask();
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }
}
