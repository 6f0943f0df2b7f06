using System.Collections.ObjectModel;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Stores;

/// <summary>Redis as the aggregators' live lane and the archiver fill it (docs/formats/redis.md). Each method is one round trip.</summary>
sealed class RedisHotStore(IConnectionMultiplexer redis, IOptions<QueryOptions> options, TimeProvider time, ILogger<RedisHotStore> logger) : IHotStore
{
    readonly StoreGuard _guard = new("Redis", options.Value.HotTimeout, options.Value.StoreBreak, time, logger);

    public bool IsDown => _guard.IsDown;

    public Task<IReadOnlyList<SeenService>> ServicesAsync(CancellationToken token) => AskAsync<IReadOnlyList<SeenService>>(async db =>
    {
        var attributes = db.HashGetAllAsync(RedisKeys.ServiceAttributes);
        var seen = await db.HashGetAllAsync(RedisKeys.Services);
        var keys = await Task.WhenAll(seen.Select(s => db.HashKeysAsync(RedisKeys.Catalog(s.Name.ToString()))));
        var known = (await attributes).ToDictionary(a => a.Name.ToString(), a => Parse(a.Value, ContractsJson.Default.IReadOnlyDictionaryStringString));
        var services = new List<SeenService>(seen.Length);
        for (var i = 0; i < seen.Length; i++)
        {
            if (!seen[i].Value.TryParse(out long lastSeen)) throw new FormatException($"'{seen[i].Name}' of {RedisKeys.Services} is no time: '{seen[i].Value}'");
            services.Add(new(seen[i].Name.ToString(), lastSeen, keys[i].Count(k => !k.ToString().Contains(':', StringComparison.Ordinal)),
                known.GetValueOrDefault(seen[i].Name.ToString()) ?? ReadOnlyDictionary<string, string>.Empty));
        }

        return services;
    }, token);

    public Task<IReadOnlyDictionary<string, string>> AttributesAsync(string serviceId, CancellationToken token) => AskAsync<IReadOnlyDictionary<string, string>>(async db =>
        await db.HashGetAsync(RedisKeys.ServiceAttributes, serviceId) is { IsNull: false } json && Parse(json, ContractsJson.Default.IReadOnlyDictionaryStringString) is { } attributes
            ? attributes
            : ReadOnlyDictionary<string, string>.Empty, token);

    public Task<IReadOnlyList<CatalogItem>> CatalogAsync(string serviceId, CancellationToken token) => AskAsync<IReadOnlyList<CatalogItem>>(async db =>
    {
        var entries = await db.HashGetAllAsync(RedisKeys.Catalog(serviceId));
        return Array.ConvertAll(entries, e => ReadCatalogItem(serviceId, e));
    }, token);

    public Task<IReadOnlyList<StoredWindow>> NewestAsync(IReadOnlyList<HotKey> keys, QueryWindow window, bool withSketch, CancellationToken token) =>
        AskAsync<IReadOnlyList<StoredWindow>>(async db =>
        {
            var live = ReadLiveAsync(db, keys, window, withSketch);
            var finals = Task.WhenAll(keys.Select(k => db.SortedSetRangeByRankAsync(History(k, window), 0, 0, Order.Descending)));
            var newest = new List<StoredWindow>(keys.Count);
            for (var i = 0; i < keys.Count; i++)
            {
                var open = (await live)[i];
                var closed = (await finals)[i] is [var member] ? new RedisHistory(keys[i], window).Read(member) : null;
                var best = open is null || closed is null ? open ?? closed
                    : open.Value.Start != closed.Value.Start ? (open.Value.Start > closed.Value.Start ? open : closed)
                    : closed.Supersedes(open) ? closed : open;
                if (best is not null) newest.Add(best);
            }

            return newest;
        }, token);

    public Task<IReadOnlyList<StoredWindow>> LiveAsync(IReadOnlyList<HotKey> keys, QueryWindow window, bool withSketch, CancellationToken token) =>
        AskAsync<IReadOnlyList<StoredWindow>>(async db => [.. (await ReadLiveAsync(db, keys, window, withSketch)).OfType<StoredWindow>()], token);

    public Task<HotHistory> HistoryAsync(IReadOnlyList<HotKey> keys, QueryWindow window, long from, long to, CancellationToken token) =>
        AskAsync(async db =>
        {
            // the archiver sets it when every history is filled; it is gone with everything else when Redis was emptied
            var isComplete = db.KeyExistsAsync(RedisKeys.HistoryComplete);
            var members = await Task.WhenAll(keys.Select(k => db.SortedSetRangeByScoreAsync(History(k, window), from, to, Exclude.Stop)));
            var windows = new List<StoredWindow>(members.Sum(m => m.Length));
            for (var i = 0; i < keys.Count; i++)
            {
                var history = new RedisHistory(keys[i], window);
                foreach (var member in members[i]) windows.Add(history.Read(member));
            }

            return new HotHistory(windows, await isComplete);
        }, token);

    public Task<IReadOnlyList<PartitionStatus?>> PipelineAsync(int partitions, CancellationToken token) => AskAsync<IReadOnlyList<PartitionStatus?>>(async db =>
    {
        var texts = await db.StringGetAsync([.. Enumerable.Range(0, partitions).Select(p => (RedisKey)RedisKeys.Pipeline(p))]);
        return Array.ConvertAll(texts, t => t.IsNull ? null : Parse(t, ContractsJson.Default.PartitionStatus));
    }, token);

    Task<T> AskAsync<T>(Func<IDatabase, Task<T>> ask, CancellationToken token) =>
        _guard.AskAsync(t => ask(redis.GetDatabase()).WaitAsync(t), token);

    static RedisKey History(HotKey key, QueryWindow window) => RedisKeys.History(key.ServiceId, key.MetricName, window.Name, key.TagsHash);

    static async Task<StoredWindow?[]> ReadLiveAsync(IDatabase db, IReadOnlyList<HotKey> keys, QueryWindow window, bool withSketch)
    {
        var fields = RedisAggregate.FieldsToRead(withSketch);
        var values = await Task.WhenAll(keys.Select(k => db.HashGetAsync(RedisKeys.Metrics(k.ServiceId, k.MetricName, window.Name, k.TagsHash), fields)));
        return [.. values.Select((v, i) => RedisAggregate.Read(keys[i], window, v))];
    }

    // field = metricName, or metricName:tagsHash
    static CatalogItem ReadCatalogItem(string serviceId, HashEntry field)
    {
        var name = field.Name.ToString();
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        var entry = Parse(field.Value, ContractsJson.Default.CatalogEntry)
            ?? throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"'{name}' of {RedisKeys.Catalog(serviceId)} is null"));
        return colon < 0 ? new(name, TagsHash.Total, entry) : new(name[..colon], name[(colon + 1)..], entry);
    }

    static T? Parse<T>(RedisValue json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize((byte[])json!, type);
        }
        catch (JsonException exception)
        {
            throw new FormatException($"unreadable {typeof(T).Name} in Redis: {exception.Message}", exception);
        }
    }
}
