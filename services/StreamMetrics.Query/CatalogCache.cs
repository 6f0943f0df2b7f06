using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using StreamMetrics.Query.Stores;

namespace StreamMetrics.Query;

/// <summary>Keeps each service's list of series for a moment: tag filters need it for every question, and it may have thousands of entries.</summary>
sealed class CatalogCache(IHotStore hot, IOptions<QueryOptions> options, TimeProvider time)
{
    readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    sealed record Entry(long ReadAt, IReadOnlyList<CatalogItem> Items);

    /// <summary>Totals and series of a service; empty when it is unknown.</summary>
    /// <exception cref="StoreUnavailableException">Redis does not answer.</exception>
    public async Task<IReadOnlyList<CatalogItem>> GetAsync(string serviceId, CancellationToken token)
    {
        if (_entries.TryGetValue(serviceId, out var entry) && time.GetElapsedTime(entry.ReadAt) < options.Value.CatalogAge) return entry.Items;
        var readAt = time.GetTimestamp();
        var items = await hot.CatalogAsync(serviceId, token);
        // unknown names are not remembered: there is no end of them
        if (items.Count > 0) _entries[serviceId] = new(readAt, items);
        else _entries.TryRemove(serviceId, out _);
        return items;
    }
}
