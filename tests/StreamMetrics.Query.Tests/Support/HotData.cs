using System.Globalization;
using System.Text.Json;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using Aggregate = StreamMetrics.Contracts.Aggregate;

namespace StreamMetrics.Query.Tests.Support;

/// <summary>Writes to Redis what the aggregators' live lane and the archiver write, in their form.</summary>
sealed class HotData(IConnectionMultiplexer redis)
{
    readonly IDatabase _db = redis.GetDatabase();

    public async Task ClearAsync() => await _db.ExecuteAsync("FLUSHALL");

    /// <summary>The live value, with the catalog entries that come with it.</summary>
    public async Task LiveAsync(params IReadOnlyList<Aggregate> aggregates)
    {
        foreach (var a in aggregates)
        {
            var hash = Samples.Hash(a);
            await _db.HashSetAsync(RedisKeys.Metrics(a.ServiceId, a.MetricName, a.Window, hash), Fields(a));
            await CatalogAsync(a, hash);
        }
    }

    public async Task CatalogAsync(Aggregate a, string hash)
    {
        await _db.HashSetAsync(RedisKeys.Services, a.ServiceId, a.LastTime);
        if (a.Catalog is not null)
            await _db.HashSetAsync(RedisKeys.ServiceAttributes, a.ServiceId, JsonSerializer.Serialize(a.Catalog, ContractsJson.Default.IReadOnlyDictionaryStringString));
        var entry = new CatalogEntry(a.MetricType, a.Unit, a.Tags, a.LastTime);
        await _db.HashSetAsync(RedisKeys.Catalog(a.ServiceId), hash.Length == 0 ? a.MetricName : $"{a.MetricName}:{hash}",
            JsonSerializer.Serialize(entry, ContractsJson.Default.CatalogEntry));
    }

    /// <summary>Makes the entry of a service in the list of services unreadable.</summary>
    public Task SpoilServiceAsync(string serviceId) => _db.HashSetAsync(RedisKeys.Services, serviceId, "no time");

    /// <summary>A final window of the last hour.</summary>
    public async Task HistoryAsync(Aggregate a, long revision = 1)
    {
        var hash = Samples.Hash(a);
        var member = JsonSerializer.Serialize(a with { Revision = revision }, ContractsJson.Default.Aggregate);
        await _db.SortedSetAddAsync(RedisKeys.History(a.ServiceId, a.MetricName, a.Window, hash), member, a.Start);
        await CatalogAsync(a, hash);
    }

    /// <summary>What the archiver says when every history is filled.</summary>
    public Task HistoryIsCompleteAsync() => _db.StringSetAsync(RedisKeys.HistoryComplete, 1);

    public Task PipelineAsync(PartitionStatus status) =>
        _db.StringSetAsync(RedisKeys.Pipeline(status.Partition), JsonSerializer.Serialize(status, ContractsJson.Default.PartitionStatus), TimeSpan.FromMinutes(10));

    public Task SetFieldAsync(Aggregate a, string field, RedisValue value) =>
        _db.HashSetAsync(RedisKeys.Metrics(a.ServiceId, a.MetricName, a.Window, Samples.Hash(a)), field, value);

    static HashEntry[] Fields(Aggregate a)
    {
        var fields = new List<HashEntry>
        {
            new("serviceId", a.ServiceId), new("metricName", a.MetricName), new("metricType", a.MetricType), new("unit", a.Unit),
            new("scope", a.Scope == AggregateScope.Total ? "total" : "series"),
            new("tags", JsonSerializer.Serialize(a.Tags, ContractsJson.Default.IReadOnlyDictionaryStringString)),
            new("window", a.Window), new("start", a.Start), new("end", a.End), new("kind", a.Kind == AggregateKind.Final ? "final" : "provisional"),
            new("count", a.Count), new("sum", Text(a.Sum)), new("avg", Text(a.Avg)), new("min", Text(a.Min)), new("max", Text(a.Max)),
            new("p50", Text(a.P50)), new("p95", Text(a.P95)), new("p99", Text(a.P99)), new("rate", Text(a.Rate)), new("last", Text(a.Last)),
            new("lastTime", a.LastTime), new("errors", a.Errors), new("maxRelativeError", Text(a.MaxRelativeError)), new("late", a.Late),
            new("partition", a.Partition), new("asOfOffset", a.AsOfOffset), new("offset", a.AsOfOffset), new("asOf", a.LastTime),
            new("incarnation", "1"), new("sketch", a.Sketch),
        };
        if (a.Exemplar is not null) fields.Add(new("exemplar", JsonSerializer.Serialize(a.Exemplar, ContractsJson.Default.Exemplar)));
        return [.. fields];
    }

    static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
