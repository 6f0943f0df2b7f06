using Microsoft.Extensions.Options;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Merging;
using StreamMetrics.Query.Model;
using StreamMetrics.Query.Stores;

namespace StreamMetrics.Query;

/// <summary>What was found for a series question.</summary>
/// <param name="Windows">Stored windows, each event once.</param>
/// <param name="Source">Where they come from.</param>
/// <param name="Incomplete">What is missing because a store was away; null when nothing is.</param>
sealed record SeriesReading(IEnumerable<StoredWindow> Windows, DataSource Source, string? Incomplete);

/// <summary>
/// Reads the stored windows that answer a series question: the last hour from Redis where Redis has all of it, the rest from PostgreSQL. A
/// step is read from the largest stored windows that divide it, and from smaller ones where those are not there (yet).
/// </summary>
sealed class SeriesReader(IHotStore hot, IColdStore cold, CatalogCache catalog, IOptions<QueryOptions> options, TimeProvider time)
{
    static readonly IReadOnlySet<long> EmptySet = new HashSet<long>();

    readonly QueryOptions _options = options.Value;

    /// <summary>The total, or the series that carry all tags of the selector, as far as Redis knows them.</summary>
    public async Task<IReadOnlyList<HotKey>> KeysAsync(SeriesSelector selector, bool isTotal, CancellationToken token)
    {
        if (isTotal) return [new(selector.ServiceId, selector.MetricName, TagsHash.Total)];
        var items = await catalog.GetAsync(selector.ServiceId, token);
        return
        [
            .. items.Where(i => i.TagsHash.Length > 0 && i.MetricName == selector.MetricName && Matches(i.Entry.Tags, selector.Tags))
                .Select(i => new HotKey(selector.ServiceId, selector.MetricName, i.TagsHash)),
        ];
    }

    /// <exception cref="InvalidRequestException">Too many stored windows would have to be read.</exception>
    /// <exception cref="StoreUnavailableException">Neither store can answer.</exception>
    public async Task<SeriesReading> ReadAsync(SeriesQuery query, CancellationToken token)
    {
        var parts = query.Window.IsSliding ? [query.Window] : QueryWindow.PartsOf(query.StepMs);
        var windows = new WindowCollection();
        StoreUnavailableException? hotOutage = null;
        var coldTo = query.To;
        try
        {
            coldTo = await ReadHotAsync(query, parts, windows, token);
        }
        catch (StoreUnavailableException exception)
        {
            hotOutage = exception;
        }

        if (query.Window.IsSliding)
            return hotOutage is null ? new(Steps(query, windows), DataSource.Hot, null) : throw hotOutage;
        if (coldTo <= query.From) return new(windows.Disjoint(), DataSource.Hot, null);
        try
        {
            var before = windows.Count;
            await ReadColdAsync(query, parts, coldTo, windows, token);
            return new(windows.Disjoint(), before == 0 ? DataSource.Cold : DataSource.Mixed, null);
        }
        catch (StoreUnavailableException exception) when (windows.Count > 0)
        {
            return new(windows.Disjoint(), DataSource.Hot, $"{exception.Message}; only what Redis has is in this answer");
        }
        catch (StoreUnavailableException exception) when (hotOutage is not null)
        {
            throw new StoreUnavailableException("Redis and PostgreSQL", $"{hotOutage.Message}; {exception.Message}", exception);
        }
    }

    // Sliding windows overlap, so a longer step picks some of them and merges nothing.
    static IEnumerable<StoredWindow> Steps(SeriesQuery query, WindowCollection windows) => windows.Disjoint().Where(w => w.Value.Start % query.StepMs == 0);

    // returns up to where PostgreSQL has to be asked
    async Task<long> ReadHotAsync(SeriesQuery query, IReadOnlyList<QueryWindow> parts, WindowCollection windows, CancellationToken token)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var hotFrom = Math.Max(query.From, HotFrom(query, parts, now - (long)_options.HotSpan.TotalMilliseconds));
        var isHistoryWanted = hotFrom < Math.Min(query.To, now);
        if (!isHistoryWanted && !query.IncludeProvisional) return query.To;

        var keys = await KeysAsync(query.Selector, query.IsTotal, token);
        if (keys.Count == 0) return query.To;
        CheckWindowsRead(keys.Count * Math.Max(0, (query.To - hotFrom) / parts[^1].AdvanceMs));
        var hotParts = parts.Where(p => p.IsHot).ToList();
        if (query.IncludeProvisional) await ReadLiveAsync(query, keys, hotParts, windows, now, token);
        if (!isHistoryWanted) return query.To;
        return await ReadHistoryAsync(query, keys, hotParts, hotFrom, windows, token) ? hotFrom : query.To;
    }

    // Redis has the windows that reach into its span. So it has the one that a first point is, but not all of those that make a longer one.
    static long HotFrom(SeriesQuery query, IReadOnlyList<QueryWindow> parts, long oldest)
    {
        var isWindow = parts[0].AdvanceMs == query.StepMs && parts[0].IsHot;
        return (isWindow ? oldest : oldest + query.StepMs - 1) / query.StepMs * query.StepMs;
    }

    // from the largest part: the open 15 minutes hold the open minute too
    async Task ReadLiveAsync(SeriesQuery query, IReadOnlyList<HotKey> keys, List<QueryWindow> parts, WindowCollection windows, long now, CancellationToken token)
    {
        foreach (var part in parts)
        {
            var live = await hot.LiveAsync(keys, part, withSketch: true, token);
            // A live value that outlived its window is only of use for a point of exactly that window: finals of smaller ones are better.
            windows.AddRange(live.Where(w => w.Value.Start >= query.From && w.Value.Start < query.To && (w.Value.End > now || part.AdvanceMs == query.StepMs)));
        }
    }

    async Task<bool> ReadHistoryAsync(SeriesQuery query, IReadOnlyList<HotKey> keys, List<QueryWindow> parts, long from, WindowCollection windows, CancellationToken token)
    {
        foreach (var part in parts)
        {
            var to = EndOf(query, part);
            var history = await hot.HistoryAsync(keys, part, from, to, token);
            windows.AddRange(history.Windows);
            if (!history.IsComplete) return false;
            // smaller windows only from the newest larger one on: before it there is nothing that the larger ones lack
            if (history.Windows.Count > 0) from = Math.Max(from, history.Windows.Max(w => w.Value.Start));
        }

        return true;
    }

    // From the largest part; what it does not cover is read from the next smaller one.
    async Task ReadColdAsync(SeriesQuery query, IReadOnlyList<QueryWindow> parts, long to, WindowCollection windows, CancellationToken token)
    {
        var open = new List<(long From, long To)> { (query.From, to) };
        foreach (var part in parts)
        {
            var left = new List<(long From, long To)>();
            foreach (var span in open)
            {
                // a point is read whole, so its smaller parts may end behind 'to'
                var end = span.To == query.To ? EndOf(query, part) : span.To;
                left.AddRange(await ReadPartAsync(query, part, span.From, end, windows, token));
            }

            open = left;
        }
    }

    /// <summary>Reads the stored windows of one size.</summary>
    /// <returns>The spans of which smaller windows may know more.</returns>
    async Task<IReadOnlyList<(long From, long To)>> ReadPartAsync(SeriesQuery query, QueryWindow part, long from, long to, WindowCollection windows, CancellationToken token)
    {
        var isWhole = query.IsTotal && part.SizeMs == query.StepMs;
        var range = new ColdRange(query.Selector, query.IsTotal, part, from, to, WithSketch: !isWhole || query.IncludeSketch || query.Percentiles.Count > 0);
        var stale = part.IsHot ? EmptySet : await cold.StaleAsync(range, token);
        var found = await cold.RangeAsync(range, _options.MaxWindowsRead + 1, token);
        windows.AddRange(found.Where(w => !stale.Contains(w.Value.Start)));
        CheckWindowsRead(windows.Count);
        // the newest may not be there for every series yet; before it nothing is missing but what is to be computed
        var newest = found.Count > 0 ? Math.Max(from, found[^1].Value.Start) : from;
        var left = new List<(long From, long To)>();
        foreach (var start in stale.Where(s => s < newest).Order())
        {
            if (left is [.., var last] && last.To == start) left[^1] = (last.From, start + part.SizeMs);
            else left.Add((start, start + part.SizeMs));
        }

        left.Add((newest, to));
        return left;
    }

    // a point is always whole, so the parts of the last step are read even where they lie behind 'to'
    static long EndOf(SeriesQuery query, QueryWindow part) =>
        part.AdvanceMs == query.StepMs ? query.To : query.To + query.StepMs - 1 - ((query.To + query.StepMs - 1) % query.StepMs);

    void CheckWindowsRead(long count)
    {
        if (count > _options.MaxWindowsRead)
            throw new InvalidRequestException("from", null, $"must be such that at most {_options.MaxWindowsRead} stored windows are read: shorten the span, narrow the tags or take a longer step");
    }

    static bool Matches(IReadOnlyDictionary<string, string> tags, IReadOnlyDictionary<string, string> filter)
    {
        foreach (var (key, value) in filter)
        {
            if (!tags.TryGetValue(key, out var actual) || actual != value) return false;
        }

        return true;
    }
}
