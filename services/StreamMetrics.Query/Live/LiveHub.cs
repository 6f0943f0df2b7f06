using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Merging;
using StreamMetrics.Query.Model;
using StreamMetrics.Query.Rest;
using StreamMetrics.Query.Stores;
using Aggregate = StreamMetrics.Contracts.Aggregate;

namespace StreamMetrics.Query.Live;

/// <summary>
/// Hands what the aggregators publish to whoever subscribed. A service's channel is followed while somebody wants it; each published value is
/// read and written as JSON once, whatever the number of subscribers. Subscribers take values without waiting (see <see cref="Outbox"/>).
/// </summary>
sealed class LiveHub(IConnectionMultiplexer redis, QueryMetrics metrics, ILogger<LiveHub> logger) : IDisposable
{
    readonly ConcurrentDictionary<string, Feed> _feeds = new(StringComparer.Ordinal);
    readonly SemaphoreSlim _changes = new(1, 1);

    sealed class Feed
    {
        public ChannelMessageQueue? Messages { get; set; }

        // replaced as a whole, so that the reader of the channel needs no lock
        public ImmutableArray<Subscription> Subscriptions { get; set; } = [];
    }

    sealed class Subscription(LiveHub hub, LiveFilter filter, Action<LiveValue> take) : IAsyncDisposable
    {
        public LiveFilter Filter { get; } = filter;

        public Action<LiveValue> Take { get; } = take;

        public async ValueTask DisposeAsync() => await hub.RemoveAsync(this);
    }

    /// <summary>Everything that is subscribed to now.</summary>
    public IEnumerable<LiveFilter> Filters => _feeds.Values.SelectMany(f => f.Subscriptions).Select(s => s.Filter);

    /// <summary>Calls <paramref name="take"/> for each value from now on, until the answer is disposed. It must return at once.</summary>
    public async Task<IAsyncDisposable> SubscribeAsync(LiveFilter filter, Action<LiveValue> take, CancellationToken token)
    {
        var subscription = new Subscription(this, filter, take);
        await _changes.WaitAsync(token);
        try
        {
            var feed = _feeds.GetOrAdd(filter.Selector.ServiceId, _ => new());
            feed.Subscriptions = feed.Subscriptions.Add(subscription);
            if (feed.Messages is null) await FollowAsync(filter.Selector.ServiceId, feed);
        }
        finally
        {
            _changes.Release();
        }

        return subscription;
    }

    /// <summary>Follows the channels that could not be followed when they were first wanted, because Redis was away.</summary>
    public async Task FollowMissingAsync(CancellationToken token)
    {
        await _changes.WaitAsync(token);
        try
        {
            foreach (var (serviceId, feed) in _feeds)
            {
                if (feed.Messages is null) await FollowAsync(serviceId, feed);
            }
        }
        finally
        {
            _changes.Release();
        }
    }

    public void Dispose() => _changes.Dispose();

    /// <summary>A value as subscribers get it.</summary>
    public static LiveValue ToLiveValue(StoredWindow window)
    {
        var merge = new WindowMerge();
        merge.Add(window);
        var value = window.Value;
        var answer = merge.ToAnswer(new(value.Scope, value.Tags, value.Window, value.Start, value.End, IsClosed: false, [], IncludeSketch: false));
        return new(window.TagsHash, JsonSerializer.SerializeToUtf8Bytes(answer, QueryJson.Default.AggregateAnswer));
    }

    async Task RemoveAsync(Subscription subscription)
    {
        await _changes.WaitAsync();
        try
        {
            var serviceId = subscription.Filter.Selector.ServiceId;
            if (!_feeds.TryGetValue(serviceId, out var feed)) return;
            feed.Subscriptions = feed.Subscriptions.Remove(subscription);
            if (feed.Subscriptions.Length > 0) return;
            _feeds.TryRemove(serviceId, out _);
            if (feed.Messages is { } messages) await LeaveAsync(messages);
        }
        finally
        {
            _changes.Release();
        }
    }

    // Once subscribed, the Redis client does so again by itself whenever its connection returns.
    async Task FollowAsync(string serviceId, Feed feed)
    {
        try
        {
            var messages = await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisKeys.Live(serviceId)));
            messages.OnMessage(message => Publish(feed, message.Message));
            feed.Messages = messages;
        }
        catch (RedisException exception)
        {
            Log.NotFollowed(logger, serviceId, exception.Message);
        }
    }

    async Task LeaveAsync(ChannelMessageQueue messages)
    {
        try
        {
            await messages.UnsubscribeAsync();
        }
        catch (RedisException exception)
        {
            // the connection is gone, and the subscription with it
            Log.UnsubscribeFailed(logger, exception.Message);
        }
    }

    void Publish(Feed feed, RedisValue message)
    {
        var subscriptions = feed.Subscriptions;
        if (ReadMetricName((byte[])message!) is not { } metric || !subscriptions.Any(s => s.Filter.Selector.MetricName == metric)) return;
        if (Read(message) is not { } value) return;
        LiveValue? live = null;
        foreach (var subscription in subscriptions)
        {
            if (!subscription.Filter.Matches(value)) continue;
            live ??= ToLiveValue(new(value, value.Scope == AggregateScope.Total ? TagsHash.Total : TagsHash.Compute(value.Tags), value.Revision ?? 0, DataSource.Hot));
            subscription.Take(live);
            metrics.LiveValueTaken();
        }
    }

    // Most of what a service publishes is of metrics nobody watches: the name alone is cheap to read.
    static string? ReadMetricName(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1) continue;
                var isName = reader.ValueTextEquals("metricName"u8);
                if (!reader.Read()) return null;
                if (isName) return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                reader.TrySkip();
            }
        }
        catch (JsonException)
        {
            // Read tells of it
        }

        return null;
    }

    Aggregate? Read(RedisValue message)
    {
        try
        {
            return JsonSerializer.Deserialize((byte[])message!, ContractsJson.Default.Aggregate);
        }
        catch (JsonException exception)
        {
            Log.UnreadableLiveValue(logger, exception.Message);
            return null;
        }
    }
}
