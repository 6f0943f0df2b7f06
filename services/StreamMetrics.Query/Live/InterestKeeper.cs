using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Stores;

namespace StreamMetrics.Query.Live;

/// <summary>
/// Tells the aggregators, through Redis, which series somebody watches: those get their values written within milliseconds. Each mention
/// expires by itself, so nothing stays behind when this process ends.
/// </summary>
sealed class InterestKeeper(LiveHub hub, SeriesReader series, IConnectionMultiplexer redis, TimeProvider time, ILogger<InterestKeeper> logger) : BackgroundService
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(4);
    static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(20);
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    /// <summary>Mentions one subscription at once, without waiting for the next round.</summary>
    public async Task AddAsync(LiveFilter filter, CancellationToken token) => await MentionAsync([filter], token);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await hub.FollowMissingAsync(stoppingToken);
            var filters = hub.Filters.Distinct().ToList();
            if (filters.Count > 0) await MentionAsync(filters, stoppingToken);
        }
    }

    async Task MentionAsync(IReadOnlyList<LiveFilter> filters, CancellationToken token)
    {
        try
        {
            var members = new HashSet<string>(StringComparer.Ordinal);
            foreach (var filter in filters)
            {
                foreach (var key in await series.KeysAsync(filter.Selector, filter.IsTotal, token))
                    members.Add(RedisKeys.InterestMember(key.ServiceId, key.MetricName, key.TagsHash));
            }

            var now = time.GetUtcNow();
            var until = (now + Lifetime).ToUnixTimeMilliseconds();
            var db = redis.GetDatabase();
            await Task.WhenAll(
                db.SortedSetAddAsync(RedisKeys.Interest, [.. members.Select(m => new SortedSetEntry(m, until))]),
                db.SortedSetRemoveRangeByScoreAsync(RedisKeys.Interest, double.NegativeInfinity, now.ToUnixTimeMilliseconds(), Exclude.Stop)).WaitAsync(Timeout, time, token);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or StoreUnavailableException)
        {
            // without it values come every half second; the next round tries again
            Log.InterestNotWritten(logger, exception.Message);
        }
    }
}
