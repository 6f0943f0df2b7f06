using System.Globalization;
using StreamMetrics.Contracts.Events;

namespace StreamMetrics.Streams;

/// <summary>
/// All series and totals of a partition and the cardinality guard. Above the limits an event counts in an overflow series, so that nothing
/// is dropped and the total of its metric stays exact. What may be made without limit by hostile input is bounded as well: a service has at
/// most as many metrics as it may have series, the partition at most as many totals as series; beyond that, events count in the metric,
/// and at last in the service, named <see cref="OverflowName"/>.
/// </summary>
sealed class SeriesRegistry(int partition, EngineOptions options, EngineStatistics statistics)
{
    /// <summary>Tag of overflow series, as in OpenTelemetry's metrics SDK specification (cardinality limits).</summary>
    public const string OverflowName = "otel.metric.overflow";

    const string StatusClass = "statusClass";
    const int ReportedTags = 5;

    static readonly KeyValuePair<string, string>[] OverflowTags = [new(OverflowName, "true")];
    static readonly string OverflowHash = Contracts.TagsHash.Compute(new Dictionary<string, string>(OverflowTags));

    readonly Dictionary<string, ServiceState> _services = new(StringComparer.Ordinal);
    readonly Dictionary<string, HashSet<string>> _groupBy =
        options.GroupBy.ToDictionary(g => g.Key, g => g.Value.ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);

    // Ids below _nextId are in use or in _freeIds. The smallest free one is given next: that is the same after a restore.
    readonly PriorityQueue<int, int> _freeIds = new();
    Series?[] _byId = new Series?[64];
    int _nextId;
    int _limited; // series that count against the limit of the partition

    /// <summary>Blocks of definitions that changed since the last commit.</summary>
    public SortedSet<int> DirtyBlocks { get; } = [];

    /// <summary>Series and totals alive.</summary>
    public int Count => statistics.Series + statistics.Totals;

    /// <summary>Ids are below this.</summary>
    public int IdLimit => _byId.Length;

    public Series? ById(int id) => (uint)id < (uint)_byId.Length ? _byId[id] : null;

    public Series? Find(string serviceId, string metricName, string tagsHash)
    {
        if (!_services.TryGetValue(serviceId, out var service) || !service.Metrics.TryGetValue(metricName, out var metric)) return null;
        return tagsHash.Length == 0 ? metric.Total : metric.Series.GetValueOrDefault(tagsHash);
    }

    /// <summary>The series of an event, made if need be.</summary>
    public Series Resolve(EventIdentity identity)
    {
        var tags = Group(identity);
        var hash = Contracts.TagsHash.Compute(new Dictionary<string, string>(tags, StringComparer.Ordinal));
        var service = _services.GetValueOrDefault(identity.ServiceId);
        if (service != null && service.Metrics.TryGetValue(identity.MetricName, out var metric) && metric.Series.TryGetValue(hash, out var series)) return series;
        if (_limited < options.MaxSeriesPerPartition && (service == null || service.Series < options.MaxSeriesPerService))
        {
            return Create(identity.ServiceId, identity.MetricName, identity.MetricType, identity.Unit, tags, isOverflow: false);
        }

        series = Overflow(identity, service);
        CountFolded(series.Service, identity.MetricName, hash);
        return series;
    }

    /// <summary>Forgets a series or total that has no cells left.</summary>
    public void Forget(Series series)
    {
        series.IsAlive = false;
        _byId[series.Id] = null;
        _freeIds.Enqueue(series.Id, series.Id);
        DirtyBlocks.Add(series.Id >> StateFormat.BlockBits);
        var metric = series.Service.Metrics[series.MetricName];
        if (series.Total != null)
        {
            metric.Series.Remove(series.TagsHash);
            CountSeries(series, -1);
        }
        else
        {
            statistics.Totals--;
        }

        // A total lives as long as its series: every event counts in both. Which of them is forgotten first does not matter.
        var isLast = metric.Series.Count == 0 && !metric.Total.IsAlive;
        if (isLast) series.Service.Metrics.Remove(series.MetricName);
        if (!isLast || series.Service.Metrics.Count > 0) return;
        _services.Remove(series.ServiceId);
        statistics.ServiceCounts.Remove(series.ServiceId);
    }

    /// <summary>Takes a definition from the state.</summary>
    public Series Restore(int id, int totalId, string serviceId, string metricName, string metricType, string unit, KeyValuePair<string, string>[] tags)
    {
        var total = totalId < 0 ? null : ById(totalId);
        var isTotal = totalId < 0 || (total is { Scope: Contracts.AggregateScope.Total } && total.ServiceId == serviceId && total.MetricName == metricName);
        if (!isTotal) throw new FormatException($"Series {id} belongs to total {totalId}, which is not there or of another metric.");
        return Add(id, total, serviceId, metricName, metricType, unit, tags, tags.Length == 1 && tags[0].Key == OverflowName);
    }

    /// <summary>Ends a restore: the ids between those in use are free.</summary>
    public void CompleteRestore()
    {
        for (var id = 0; id < _nextId; id++)
        {
            if (_byId[id] == null) _freeIds.Enqueue(id, id);
        }

        DirtyBlocks.Clear();
    }

    /// <summary>Counters of a service that may have no series.</summary>
    public ServiceStatistics? StatisticsOf(string serviceId)
    {
        if (statistics.ServiceCounts.TryGetValue(serviceId, out var counts)) return counts;
        // Late events alone must not fill the memory with names.
        if (statistics.ServiceCounts.Count >= options.MaxSeriesPerPartition) return null;
        return statistics.ServiceCounts[serviceId] = new() { ServiceId = serviceId };
    }

    KeyValuePair<string, string>[] Group(EventIdentity identity)
    {
        if (!_groupBy.TryGetValue(identity.MetricName, out var keys)) return [.. identity.Tags];
        var tags = identity.Tags.Where(t => keys.Contains(t.Key)).ToList();
        if (keys.Contains(StatusClass) && !tags.Exists(t => t.Key == StatusClass) && EventRules.StatusClassOf(identity.Tags) is { } statusClass)
        {
            tags.Add(new(StatusClass, statusClass));
            tags.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
        }

        return [.. tags];
    }

    Series Overflow(EventIdentity identity, ServiceState? service)
    {
        var (serviceId, metricName) = (identity.ServiceId, identity.MetricName);
        if (service == null && statistics.Totals >= options.MaxSeriesPerPartition) (serviceId, metricName) = (OverflowName, OverflowName);
        var target = _services.GetValueOrDefault(serviceId);
        var isKnown = target != null && target.Metrics.ContainsKey(metricName);
        var hasRoom = statistics.Totals < options.MaxSeriesPerPartition && (target == null || target.Metrics.Count < options.MaxSeriesPerService);
        if (!isKnown && !hasRoom) metricName = OverflowName;
        return Find(serviceId, metricName, OverflowHash)
            ?? Create(serviceId, metricName, identity.MetricType, identity.Unit, OverflowTags, isOverflow: true);
    }

    Series Create(string serviceId, string metricName, string metricType, string unit, KeyValuePair<string, string>[] tags, bool isOverflow)
    {
        var total = Find(serviceId, metricName, "") is { IsAlive: true } known
            ? known
            : Add(NextId(), null, serviceId, metricName, metricType, unit, [], isOverflow: false);
        return Add(NextId(), total, serviceId, metricName, metricType, unit, tags, isOverflow);
    }

    Series Add(int id, Series? total, string serviceId, string metricName, string metricType, string unit, KeyValuePair<string, string>[] tags, bool isOverflow)
    {
        if (!_services.TryGetValue(serviceId, out var service)) _services[serviceId] = service = MakeService(serviceId);
        var series = Series.Create(id, service, total, metricName, metricType, unit, tags, isOverflow);
        if (id >= _byId.Length) Array.Resize(ref _byId, Math.Max(2 * _byId.Length, id + 1));
        if (_byId[id] != null) throw new FormatException($"Series {id} is defined twice.");
        _byId[id] = series;
        _nextId = Math.Max(_nextId, id + 1);
        DirtyBlocks.Add(id >> StateFormat.BlockBits);
        if (total == null)
        {
            service.Metrics.Add(metricName, new(series));
            statistics.Totals++;
        }
        else
        {
            service.Metrics[metricName].Series.Add(series.TagsHash, series);
            CountSeries(series, 1);
        }

        return series;
    }

    ServiceState MakeService(string serviceId)
    {
        var isMisrouted = options.InputPartitions > 0
            && Murmur2.Partition(System.Text.Encoding.UTF8.GetBytes(serviceId), options.InputPartitions) != partition;
        return new(serviceId, isMisrouted, StatisticsOf(serviceId) ?? new() { ServiceId = serviceId });
    }

    int NextId() => _freeIds.TryDequeue(out var id, out _) ? id : _nextId;

    void CountSeries(Series series, int change)
    {
        statistics.Series += change;
        series.Service.Statistics.Series += change;
        if (series.IsOverflow) return;
        _limited += change;
        series.Service.Series += change;
    }

    void CountFolded(ServiceState service, string metricName, string tagsHash)
    {
        statistics.Overflowed++;
        var counts = service.Statistics;
        counts.Overflowed++;
        service.Folded ??= new();
        // The tags' hash is uniform already; the metric turns it.
        service.Folded.Add(ulong.Parse(tagsHash.AsSpan(0, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            ^ Murmur2.Hash(System.Text.Encoding.UTF8.GetBytes(metricName)) * 0x9E3779B97F4A7C15);
        // Looking at all tags is dear, so it is done after 1, 2, 4, 8 … events.
        if (!System.Numerics.BitOperations.IsPow2(counts.Overflowed)) return;
        counts.OverflowedSeries = service.Folded.Estimate();
        counts.LargestTags = LargestTags(service);
    }

    static List<TagCardinality> LargestTags(ServiceState service)
    {
        var values = new SortedDictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (var metric in service.Metrics.Values)
        {
            foreach (var series in metric.Series.Values)
            {
                foreach (var (key, value) in series.Tags)
                {
                    if (!values.TryGetValue(key, out var seen)) values[key] = seen = [];
                    seen.Add(value);
                }
            }
        }

        return [.. values.Select(v => new TagCardinality(v.Key, v.Value.Count)).OrderByDescending(t => t.Values).Take(ReportedTags)];
    }
}
