using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Stores;

/// <summary>
/// Everything that is final. Every method throws <see cref="StoreUnavailableException"/> when the store does not answer in time or not sensibly.
/// </summary>
interface IColdStore
{
    /// <summary>Services with windows that start at <paramref name="since"/> or later (ms since the epoch).</summary>
    Task<IReadOnlyList<SeenService>> ServicesAsync(long since, CancellationToken token);

    /// <summary>What the newest window that starts at <paramref name="since"/> or later (ms since the epoch) has of the service catalog; empty when none has.</summary>
    Task<IReadOnlyDictionary<string, string>> AttributesAsync(string serviceId, long since, CancellationToken token);

    /// <summary>Metrics of a service with windows that start at <paramref name="since"/> or later (ms since the epoch).</summary>
    Task<IReadOnlyList<MetricAnswer>> MetricsAsync(string serviceId, long since, CancellationToken token);

    /// <summary>The windows with from ≤ start &lt; to of the total, or of the series that carry the selector's tags, by start; at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<StoredWindow>> RangeAsync(ColdRange range, int limit, CancellationToken token);

    /// <summary>
    /// Starts of those roll-ups of the range (hours or days) that are still to be computed, or to be computed again because an input changed.
    /// Asked for before the roll-ups themselves, it names every one that may be missing or out of date.
    /// </summary>
    Task<IReadOnlySet<long>> StaleAsync(ColdRange range, CancellationToken token);

    /// <summary>The newest window of the total, or those of the newest start of the series that carry the selector's tags; at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<StoredWindow>> NewestAsync(ColdRange range, int limit, CancellationToken token);

    /// <summary>The newest window of each total that starts at <paramref name="since"/> or later.</summary>
    Task<IReadOnlyList<StoredWindow>> TotalsAsync(string? metricName, QueryWindow window, long since, int limit, CancellationToken token);

    /// <summary>Returns when the store answers.</summary>
    Task PingAsync(CancellationToken token);
}

/// <summary>Which windows to read.</summary>
/// <param name="Selector">Service, metric and tags.</param>
/// <param name="IsTotal">The total, and not the series.</param>
/// <param name="Window">The stored size.</param>
/// <param name="From">First start, ms since the epoch (inclusive).</param>
/// <param name="To">Last start (exclusive).</param>
/// <param name="WithSketch">Whether the sketches are needed; they are most of the bytes.</param>
sealed record ColdRange(SeriesSelector Selector, bool IsTotal, QueryWindow Window, long From, long To, bool WithSketch);
