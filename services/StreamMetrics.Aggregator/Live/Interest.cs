using StreamMetrics.Contracts;

namespace StreamMetrics.Aggregator.Live;

/// <summary>A series or total by name.</summary>
/// <param name="ServiceId">The service.</param>
/// <param name="MetricName">The metric.</param>
/// <param name="TagsHash">Tags hash; empty for a total.</param>
readonly record struct SeriesName(string ServiceId, string MetricName, string TagsHash)
{
    /// <summary>Reads a member of <see cref="RedisKeys.Interest"/>.</summary>
    /// <param name="member"><c>serviceId:metricName[:tagsHash]</c>; no part can hold a colon.</param>
    /// <returns>Null when it has another form.</returns>
    public static SeriesName? Parse(string member) => member.Split(':') switch
    {
        [{ Length: > 0 } service, { Length: > 0 } metric] => new(service, metric, Contracts.TagsHash.Total),
        [{ Length: > 0 } service, { Length: > 0 } metric, { Length: > 0 } hash] => new(service, metric, hash),
        _ => null,
    };
}

/// <summary>What is watched, as read from Redis. Never changed once made.</summary>
/// <param name="Version">Number of the reading.</param>
/// <param name="Names">The series.</param>
sealed record Interest(int Version, HashSet<SeriesName> Names)
{
    /// <summary>Nothing is watched.</summary>
    public static readonly Interest None = new(0, []);
}
