using Microsoft.Extensions.Options;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Merging;
using StreamMetrics.Query.Model;
using StreamMetrics.Query.Stores;

namespace StreamMetrics.Query;

/// <summary>
/// Answers every question about metrics, for every API. Redis has live values and the last hour, PostgreSQL everything that is final; when
/// one of them is away the other answers alone, and the answer's source says so.
/// </summary>
sealed class MetricQueryService(
    IHotStore hot, IColdStore cold, CatalogCache catalog, SeriesReader series, QueryMetrics metrics, IOptions<QueryOptions> options, TimeProvider time)
{
    // how far back PostgreSQL is searched for names when Redis is away
    const long NamesSpanMs = 86_400_000;

    readonly QueryOptions _options = options.Value;

    long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public async Task<ServicesAnswer> ServicesAsync(CancellationToken token)
    {
        var (services, source) = await FromEitherAsync(
            () => hot.ServicesAsync(token), () => cold.ServicesAsync(Now - NamesSpanMs, token), found => found.Count > 0);
        return new()
        {
            Services = [.. services.OrderBy(s => s.ServiceId, StringComparer.Ordinal).Select(ToAnswer)],
            Source = source,
        };
    }

    /// <exception cref="NotFoundException">No such service.</exception>
    public async Task<ServiceAnswer> ServiceAsync(string serviceId, CancellationToken token)
    {
        var answer = await MetricsAsync(serviceId, token);
        var (attributes, _) = await FromEitherAsync(
            () => hot.AttributesAsync(serviceId, token), () => cold.AttributesAsync(serviceId, Now - NamesSpanMs, token), found => found.Count > 0 || answer.Source == DataSource.Hot);
        return new()
        {
            ServiceId = serviceId,
            LastSeen = answer.Metrics.Max(m => m.LastSeen),
            Metrics = answer.Metrics.Count,
            Attributes = attributes,
        };
    }

    /// <exception cref="NotFoundException">No such service.</exception>
    public async Task<MetricsAnswer> MetricsAsync(string serviceId, CancellationToken token)
    {
        var (found, source) = await FromEitherAsync(
            async () => Summarise(await catalog.GetAsync(serviceId, token)), () => cold.MetricsAsync(serviceId, Now - NamesSpanMs, token), m => m.Count > 0);
        if (found.Count == 0) throw new NotFoundException($"There is no service '{serviceId}'.");
        return new() { ServiceId = serviceId, Metrics = [.. found.OrderBy(m => m.MetricName, StringComparer.Ordinal)], Source = source };
    }

    /// <exception cref="NotFoundException">There is no value.</exception>
    public async Task<AggregateAnswer> CurrentAsync(CurrentQuery query, CancellationToken token)
    {
        var answer = query.Window.IsHot ? await NewestAsync(query, token) : await NewestComputedAsync(query, token);
        ReadTracing.Answered(answer?.Exemplar);
        return answer ?? throw new NotFoundException(query.Selector.Tags.Count == 0
            ? $"There are no values of metric '{query.Selector.MetricName}' of service '{query.Selector.ServiceId}' in windows of {query.Window.Name}."
            : $"There are no values of a series of '{query.Selector.MetricName}' of service '{query.Selector.ServiceId}' with these tags in windows of {query.Window.Name}.");
    }

    /// <exception cref="InvalidRequestException">The answer would break a limit.</exception>
    public async Task<SeriesSetAnswer> SeriesAsync(SeriesQuery query, CancellationToken token)
    {
        var found = await series.ReadAsync(query, token);
        var groups = new SeriesGrouping(query, Now - (long)_options.FinalAfter.TotalMilliseconds);
        foreach (var window in found.Windows) groups.Add(window);
        if (groups.Count > _options.MaxSeries)
            throw new InvalidRequestException("groupBy", string.Join(',', query.GroupBy), $"must give at most {_options.MaxSeries} series; this gives {groups.Count}");
        metrics.Answered(found.Source);
        var answers = groups.ToAnswers();
        ReadTracing.Answered(answers);
        return new()
        {
            ServiceId = query.Selector.ServiceId,
            MetricName = query.Selector.MetricName,
            Window = query.Window.Name,
            From = query.From,
            To = query.To,
            Step = query.StepMs,
            Series = answers,
            Source = found.Source,
            Incomplete = found.Incomplete,
        };
    }

    public async Task<TopAnswer> TopAsync(TopQuery query, CancellationToken token)
    {
        // what has not changed for longer than this is no current value
        var since = Now - (3 * query.Window.SizeMs);
        var (totals, source) = await FromEitherAsync(
            () => CurrentTotalsAsync(query, token),
            () => query.Window.IsSliding
                ? throw new StoreUnavailableException("Redis", $"it alone has windows {query.Window.Name}")
                : cold.TotalsAsync(query.MetricName, query.Window, since, _options.MaxWindowsRead, token),
            _ => true);
        var current = totals.Where(t => t.Value.Start >= since);
        var ordered = query.By switch
        {
            TopOrder.P99 => current.OrderByDescending(t => t.Value.P99),
            TopOrder.Errors => current.OrderByDescending(t => t.Value.Errors),
            _ => current.OrderByDescending(t => t.Value.Rate),
        };
        return new()
        {
            Window = query.Window.Name,
            By = query.By switch { TopOrder.P99 => "p99", TopOrder.Errors => "errors", _ => "rate" },
            Items = [.. ordered.ThenBy(t => t.Value.ServiceId, StringComparer.Ordinal).Take(query.Limit).Select(t => Answer([t], query.Window.Name, t.Value.Tags, false))],
            Source = source,
        };
    }

    async Task<IReadOnlyList<StoredWindow>> CurrentTotalsAsync(TopQuery query, CancellationToken token)
    {
        var services = await hot.ServicesAsync(token);
        var keys = new List<HotKey>();
        foreach (var service in services)
        {
            if (query.MetricName is { } metric) keys.Add(new(service.ServiceId, metric, TagsHash.Total));
            else keys.AddRange((await catalog.GetAsync(service.ServiceId, token)).Where(c => c.TagsHash.Length == 0).Select(c => new HotKey(service.ServiceId, c.MetricName, c.TagsHash)));
        }

        return await hot.LiveAsync(keys, query.Window, withSketch: false, token);
    }

    async Task<AggregateAnswer?> NewestAsync(CurrentQuery query, CancellationToken token)
    {
        var needsSketch = query.IncludeSketch || query.Selector.Tags.Count > 0;
        var (windows, source) = await FromEitherAsync(
            async () => await hot.NewestAsync(await series.KeysAsync(query.Selector, isTotal: query.Selector.Tags.Count == 0, token), query.Window, needsSketch, token),
            () => query.Window.IsSliding
                ? throw new StoreUnavailableException("Redis", $"it alone has windows {query.Window.Name}")
                : cold.NewestAsync(new(query.Selector, query.Selector.Tags.Count == 0, query.Window, 0, Now, needsSketch), _options.MaxWindowsRead, token),
            found => found.Count > 0 || query.Window.IsSliding);
        if (windows.Count == 0) return null;
        metrics.Answered(source);
        var newest = windows.Max(w => w.Value.Start);
        return Answer([.. windows.Where(w => w.Value.Start == newest)], query.Window.Name, query.Selector.Tags, query.IncludeSketch);
    }

    // 1h and 1d have no live value of their own: the current one is put together from smaller windows
    async Task<AggregateAnswer?> NewestComputedAsync(CurrentQuery query, CancellationToken token)
    {
        var size = query.Window.SizeMs;
        var thisStart = Now - (Now % size);
        var answer = await LastPointAsync(query, thisStart - size, thisStart + size, token);
        if (answer is not null) return answer;
        var range = new ColdRange(query.Selector, query.Selector.Tags.Count == 0, QueryWindow.OneMinute, 0, thisStart, WithSketch: false);
        if (await cold.NewestAsync(range, _options.MaxWindowsRead, token) is not [var last, ..]) return null;
        var start = last.Value.Start - (last.Value.Start % size);
        return await LastPointAsync(query, start, start + size, token);
    }

    async Task<AggregateAnswer?> LastPointAsync(CurrentQuery query, long from, long to, CancellationToken token)
    {
        var answer = await SeriesAsync(
            new(query.Selector, query.Window, from, to, query.Window.SizeMs, [], [], IncludeProvisional: true, query.IncludeSketch), token);
        // a single value cannot say that half of it is missing
        if (answer.Incomplete is { } reason) throw new StoreUnavailableException("PostgreSQL", reason);
        return answer.Series is [var only] ? only.Points[^1] : null;
    }

    // windows of one start, of one or more series
    AggregateAnswer Answer(IReadOnlyList<StoredWindow> windows, string windowName, IReadOnlyDictionary<string, string> tags, bool includeSketch)
    {
        var first = windows[0].Value;
        var merge = new WindowMerge();
        foreach (var window in windows) merge.Add(window);
        var isClosed = first.End + (long)_options.FinalAfter.TotalMilliseconds <= Now;
        return merge.ToAnswer(new(first.Scope, tags, windowName, first.Start, first.End, isClosed, [], includeSketch));
    }

    // asks PostgreSQL when Redis is away or does not know
    static async Task<(T Answer, DataSource Source)> FromEitherAsync<T>(Func<Task<T>> askHot, Func<Task<T>> askCold, Func<T, bool> isEnough) where T : class
    {
        T? found = null;
        StoreUnavailableException? outage = null;
        try
        {
            found = await askHot();
            if (isEnough(found)) return (found, DataSource.Hot);
        }
        catch (StoreUnavailableException exception)
        {
            outage = exception;
        }

        try
        {
            return (await askCold(), DataSource.Cold);
        }
        catch (StoreUnavailableException) when (found is not null)
        {
            return (found, DataSource.Hot);
        }
        catch (StoreUnavailableException exception) when (outage is not null && exception.Store != outage.Store)
        {
            throw new StoreUnavailableException($"{outage.Store} and {exception.Store}", $"{outage.Message}; {exception.Message}", exception);
        }
    }

    static ServiceAnswer ToAnswer(SeenService service) =>
        new() { ServiceId = service.ServiceId, LastSeen = service.LastSeen, Metrics = service.Metrics, Attributes = service.Attributes };

    static IReadOnlyList<MetricAnswer> Summarise(IReadOnlyList<CatalogItem> items) =>
    [
        .. items.GroupBy(i => i.MetricName, StringComparer.Ordinal).Select(g => new MetricAnswer
        {
            MetricName = g.Key,
            MetricType = g.MaxBy(i => i.Entry.LastSeen)!.Entry.MetricType,
            Unit = g.MaxBy(i => i.Entry.LastSeen)!.Entry.Unit,
            Series = g.Count(i => i.TagsHash.Length > 0),
            LastSeen = g.Max(i => i.Entry.LastSeen),
        }),
    ];
}
