namespace StreamMetrics.Client.Kafka;

/// <summary>The settings of every producer of the product, by librdkafka's names.</summary>
public static class ProducerSettings
{
    static readonly KeyValuePair<string, string>[] Defaults =
    [
        new("acks", "all"),
        new("enable.idempotence", "true"),
        new("max.in.flight.requests.per.connection", "5"),
        // An event is given up only by its owner, never because time has passed.
        new("message.timeout.ms", "0"),
        new("retry.backoff.ms", "100"),
        new("retry.backoff.max.ms", "1000"),
        new("compression.type", "snappy"),
        new("batch.size", "32768"),
        new("linger.ms", "10"),
        new("queue.buffering.max.kbytes", "65536"),
        new("queue.buffering.max.messages", "0"),
        // The Java clients' default, so that an event of a service is in the same partition whoever sends it.
        new("partitioner", "murmur2_random"),
    ];

    /// <summary>The defaults, changed by some settings of the caller's.</summary>
    /// <param name="bootstrapServers">Kafka brokers.</param>
    /// <param name="changes">Settings that differ or are added.</param>
    public static IReadOnlyDictionary<string, string> Create(string bootstrapServers, IEnumerable<KeyValuePair<string, string>> changes)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var settings = new Dictionary<string, string>(Defaults, StringComparer.Ordinal) { ["bootstrap.servers"] = bootstrapServers };
        foreach (var (name, value) in changes) settings[name] = value;
        return settings;
    }
}
