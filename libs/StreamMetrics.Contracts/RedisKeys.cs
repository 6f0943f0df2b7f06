namespace StreamMetrics.Contracts;

/// <summary>Keys and channels of the hot store (docs/formats/redis.md).</summary>
public static class RedisKeys
{
    /// <summary>How long hot values live.</summary>
    public static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(3600);

    /// <summary>Hash: serviceId → last seen, ms since the epoch.</summary>
    public const string Services = "catalog:services";

    /// <summary>Hash: serviceId → what the service catalog says of it, a JSON object of texts (docs/service-catalog.md).</summary>
    public const string ServiceAttributes = "catalog:attributes";

    /// <summary>Sorted set of watched series; the score is the expiry, ms since the epoch.</summary>
    public const string Interest = "interest";

    /// <summary>Member of <see cref="Interest"/>: <c>serviceId:metricName</c> for a total, <c>serviceId:metricName:tagsHash</c> for a series.</summary>
    /// <param name="serviceId">The service.</param>
    /// <param name="metricName">The metric.</param>
    /// <param name="tagsHash">Tags hash, empty for a total.</param>
    public static string InterestMember(string serviceId, string metricName, string tagsHash) =>
        tagsHash.Length == 0 ? $"{serviceId}:{metricName}" : $"{serviceId}:{metricName}:{tagsHash}";

    /// <summary>
    /// Hash: topic id of an input topic → its number (<c>incarnation</c> in the hashes of values), given in the order in which the topics were
    /// first seen, so that values of a topic that was deleted and created again are newer whatever their offsets.
    /// </summary>
    public const string Incarnations = "incarnations";

    /// <summary>
    /// String: when the archiver last filled every <see cref="History"/> from PostgreSQL, ms since the epoch. Missing means that Redis was
    /// emptied and the histories may have holes.
    /// </summary>
    public const string HistoryComplete = "history:complete";

    /// <summary>
    /// Hash of a service: field = metricName for a total or <c>metricName:tagsHash</c> for a series; value = JSON
    /// <c>{"metricType","unit","tags","lastSeen"}</c> (<see cref="CatalogEntry"/>).
    /// </summary>
    /// <param name="serviceId">The service.</param>
    public static string Catalog(string serviceId) => $"catalog:{serviceId}";

    /// <summary>Hash: newest value of a window of a total (<paramref name="tagsHash"/> empty) or of a series.</summary>
    /// <param name="serviceId">The service.</param>
    /// <param name="metricName">The metric.</param>
    /// <param name="window">Window name.</param>
    /// <param name="tagsHash">Tags hash, empty for a total.</param>
    public static string Metrics(string serviceId, string metricName, string window, string tagsHash) =>
        tagsHash.Length == 0 ? $"metrics:{serviceId}:{metricName}:{window}" : $"metrics:{serviceId}:{metricName}:{window}:{tagsHash}";

    /// <summary>Sorted set: final windows of the last hour, score = start.</summary>
    /// <param name="serviceId">The service.</param>
    /// <param name="metricName">The metric.</param>
    /// <param name="window">Window name.</param>
    /// <param name="tagsHash">Tags hash, empty for a total.</param>
    public static string History(string serviceId, string metricName, string window, string tagsHash) =>
        tagsHash.Length == 0 ? $"history:{serviceId}:{metricName}:{window}" : $"history:{serviceId}:{metricName}:{window}:{tagsHash}";

    /// <summary>Channel on which provisional values of a service are published.</summary>
    /// <param name="serviceId">The service.</param>
    public static string Live(string serviceId) => $"live:{serviceId}";

    /// <summary>String: <see cref="PartitionStatus"/> of an input partition as JSON, written by its owner every second, 30 s to live.</summary>
    /// <param name="partition">Partition of <see cref="Topics.Events"/>.</param>
    public static string Pipeline(int partition) => $"pipeline:{partition.ToString(System.Globalization.CultureInfo.InvariantCulture)}";
}
