using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Stores;

/// <summary>
/// The last hour. Every method throws <see cref="StoreUnavailableException"/> when the store does not answer in time or not sensibly.
/// </summary>
interface IHotStore
{
    /// <summary>Every service that was seen.</summary>
    Task<IReadOnlyList<SeenService>> ServicesAsync(CancellationToken token);

    /// <summary>What the service catalog says of a service; empty when it is not in the catalog.</summary>
    Task<IReadOnlyDictionary<string, string>> AttributesAsync(string serviceId, CancellationToken token);

    /// <summary>Totals and series of a service; empty when it is unknown.</summary>
    Task<IReadOnlyList<CatalogItem>> CatalogAsync(string serviceId, CancellationToken token);

    /// <summary>For each key the newest value there is, be it live or final; keys without one are left out.</summary>
    Task<IReadOnlyList<StoredWindow>> NewestAsync(IReadOnlyList<HotKey> keys, QueryWindow window, bool withSketch, CancellationToken token);

    /// <summary>The live value of each key; keys without one are left out.</summary>
    Task<IReadOnlyList<StoredWindow>> LiveAsync(IReadOnlyList<HotKey> keys, QueryWindow window, bool withSketch, CancellationToken token);

    /// <summary>The final windows of each key with from ≤ start &lt; to.</summary>
    Task<HotHistory> HistoryAsync(IReadOnlyList<HotKey> keys, QueryWindow window, long from, long to, CancellationToken token);

    /// <summary>What the owners of the input partitions say, by partition; null where nobody said anything lately.</summary>
    Task<IReadOnlyList<PartitionStatus?>> PipelineAsync(int partitions, CancellationToken token);
}

/// <summary>Names a total (empty hash) or a series in the hot store.</summary>
readonly record struct HotKey(string ServiceId, string MetricName, string TagsHash);

/// <summary>What the hot store has of a span.</summary>
/// <param name="Windows">The windows.</param>
/// <param name="IsComplete">Whether no window of the span can be missing.</param>
sealed record HotHistory(IReadOnlyList<StoredWindow> Windows, bool IsComplete);
