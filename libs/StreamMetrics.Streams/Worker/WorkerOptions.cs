using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>What a commit guarantees.</summary>
public enum DeliveryGuarantee
{
    /// <summary>Kafka transactions: every event counts once, through crashes and rebalances.</summary>
    ExactlyOnce,

    /// <summary>No transactions: after a crash, events since the last commit count twice.</summary>
    AtLeastOnce,
}

/// <summary>What the Kafka worker is told. <see cref="Validate"/> checks all of it.</summary>
public sealed class WorkerOptions
{
    /// <summary>Kafka's bootstrap servers, <c>host:port[,host:port]</c>.</summary>
    public string BootstrapServers { get; set; } = "";

    /// <summary>Consumer group.</summary>
    public string GroupId { get; set; } = Topics.ProcessorGroup;

    /// <summary>
    /// Name of this instance in the group, the same after a restart; empty: the ordinal of a StatefulSet's pod name, else the first free
    /// lock file in <see cref="DataDirectory"/>.
    /// </summary>
    public string InstanceId { get; set; } = "";

    /// <summary>Folder for the lock files that give instances on one machine stable names.</summary>
    public string DataDirectory { get; set; } = Path.Combine(".streammetrics", "aggregator");

    /// <summary>What a commit guarantees.</summary>
    public DeliveryGuarantee Delivery { get; set; } = DeliveryGuarantee.ExactlyOnce;

    /// <summary>Consumers in this process, each with its own thread. 1 to 16.</summary>
    public int Workers { get; set; } = 1;

    /// <summary>A commit at the latest this long after the last one when something changed. 10 ms to 1 minute.</summary>
    public TimeSpan CommitInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether to append clock records when a window's end passes without traffic.</summary>
    public bool IdleClock { get; set; } = true;

    /// <summary>Transactions older than this are aborted by the broker; also the longest a commit may take. 1 second to 15 minutes.</summary>
    public TimeSpan TransactionTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The group gives this instance's partitions away when it is silent for so long. 6 seconds (a broker's usual minimum) to 30 minutes.</summary>
    public TimeSpan SessionTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest pause between two polls. At least the session timeout.</summary>
    public TimeSpan MaxPollInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a broker may hold a fetch while there is nothing to read: it answers at once when there is, but a partition that is resumed waits for the answer. 1 ms to 500 ms.</summary>
    public TimeSpan FetchWait { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a producer waits to fill a batch. 0 to 1 second.</summary>
    public TimeSpan Linger { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>How often an event is tried before it goes to the dead letter topic. 1 to 10.</summary>
    public int MaxAttempts { get; set; } = 3;

    /// <summary>How long a graceful stop may take. 1 second to 5 minutes.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the Kafka clients report statistics for metrics; 0 switches them off.</summary>
    public TimeSpan StatisticsInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>More settings for every Kafka client by librdkafka's names (security.protocol, sasl.username …).</summary>
    public Dictionary<string, string> Kafka { get; set; } = [];

    /// <summary>The stream engine.</summary>
    public EngineOptions Engine { get; set; } = new();

    /// <summary>Checks every value.</summary>
    /// <param name="section">Configuration section that the options come from, e.g. <c>Aggregator</c>.</param>
    /// <returns>One message per broken rule, naming key, value and rule.</returns>
    public IReadOnlyList<string> Validate(string section)
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(BootstrapServers)) errors.Add("ConnectionStrings:kafka is missing: it names Kafka's bootstrap servers, host:port[,host:port].");
        Need(GroupId.Length is > 0 and <= 255, nameof(GroupId), GroupId, "1-255 characters");
        Need(InstanceId.Length <= 249, nameof(InstanceId), InstanceId, "at most 249 characters");
        Need(DataDirectory.Length > 0, nameof(DataDirectory), DataDirectory, "a folder");
        Need(Enum.IsDefined(Delivery), nameof(Delivery), Delivery, "ExactlyOnce or AtLeastOnce");
        Need(Workers is >= 1 and <= 16, nameof(Workers), Workers, "1 to 16");
        Between(CommitInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), nameof(CommitInterval));
        Between(TransactionTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(15), nameof(TransactionTimeout));
        Between(SessionTimeout, TimeSpan.FromSeconds(6), TimeSpan.FromMinutes(30), nameof(SessionTimeout));
        Between(MaxPollInterval, SessionTimeout, TimeSpan.FromDays(1), nameof(MaxPollInterval));
        Between(FetchWait, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(500), nameof(FetchWait));
        Between(Linger, TimeSpan.Zero, TimeSpan.FromSeconds(1), nameof(Linger));
        Need(MaxAttempts is >= 1 and <= 10, nameof(MaxAttempts), MaxAttempts, "1 to 10");
        Between(ShutdownTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5), nameof(ShutdownTimeout));
        Between(StatisticsInterval, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(StatisticsInterval));
        errors.AddRange(Engine.Validate($"{section}:{nameof(Engine)}"));
        return errors;

        void Need(bool met, string key, object value, string rule)
        {
            if (!met) errors.Add($"{section}:{key} is '{value}'; it must be {rule}.");
        }

        void Between(TimeSpan value, TimeSpan least, TimeSpan most, string key) => Need(value >= least && value <= most, key, value, $"from {least} to {most}");
    }
}
