using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using StreamMetrics.Contracts;

namespace StreamMetrics.Client;

/// <summary>Options of <see cref="StreamMetricsClient"/>.</summary>
public sealed class StreamMetricsClientOptions
{
    /// <summary>The configuration section that messages name, and that a program may bind.</summary>
    public const string Section = "StreamMetrics";

    /// <summary>Kafka brokers, <c>host:port</c> separated by commas. Required.</summary>
    public string BootstrapServers { get; set; } = "";

    /// <summary>The service whose events these are, 1-100 characters of <c>[A-Za-z0-9._-]</c>. Required.</summary>
    public string ServiceId { get; set; } = "";

    /// <summary>The instance of the service, at most 200 characters; empty: the event has none. By default the machine's name.</summary>
    public string InstanceId { get; set; } = Environment.MachineName;

    /// <summary>The topic.</summary>
    public string Topic { get; set; } = Topics.Events;

    /// <summary>Names of the meters of <c>System.Diagnostics.Metrics</c> whose instruments become events; a name may end in <c>*</c>.</summary>
    public ISet<string> Meters { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Tags that every event gets, such as region or environment, unless it has them itself.</summary>
    public IDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>How often counters and observable instruments are written, 10 ms to 1 h.</summary>
    public TimeSpan FlushInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Size of the queue in front of the Kafka client, 128 KiB to 1 GiB, rounded up to a power of two. What comes when it is full is dropped and counted.</summary>
    public int QueueBytes { get; set; } = 8 << 20;

    /// <summary>How many series (name, unit, type, tag set) keep their serialised form, 1 to 1,000,000. Events of others cost an allocation each.</summary>
    public int MaxSeries { get; set; } = 10_000;

    /// <summary>How long dispose waits for events to be acknowledged, up to 1 h. What is left then is dropped and counted.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How the client identifies itself to Kafka and protects what it sends: TLS, user and password, client certificate. The services of the product bind it to
    /// <c>Kafka:Security</c>.
    /// </summary>
    public KafkaSecurityOptions Security { get; set; } = new();

    /// <summary>
    /// Settings of librdkafka by their names, over the defaults: acks=all, idempotence, snappy, batch.size 32768, linger.ms 10, 64 MiB of buffer,
    /// no limit on retries.
    /// </summary>
    public IDictionary<string, string> Kafka { get; } = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>Checks the options; a message names the key, the value and the rule.</summary>
sealed partial class StreamMetricsClientOptionsValidator : IValidateOptions<StreamMetricsClientOptions>
{
    const int MinQueueBytes = 2 * EventLimits.MaxMessageBytes;
    const int MaxQueueBytes = 1 << 30;
    const int MaxMaxSeries = 1_000_000;

    public ValidateOptionsResult Validate(string? name, StreamMetricsClientOptions options)
    {
        var failures = new List<string>();
        void Rule(bool holds, string key, object value, string rule)
        {
            if (!holds) failures.Add(FormattableString.Invariant($"{StreamMetricsClientOptions.Section}:{key} is '{value}': it must be {rule}."));
        }

        Rule(!string.IsNullOrWhiteSpace(options.BootstrapServers), nameof(options.BootstrapServers), options.BootstrapServers, "host:port, several separated by commas");
        Rule(ServiceIds().IsMatch(options.ServiceId), nameof(options.ServiceId), options.ServiceId, "1-100 characters of A-Z a-z 0-9 . _ -");
        Rule(options.InstanceId.Length <= EventLimits.MaxInstanceIdLength, nameof(options.InstanceId), options.InstanceId, "at most 200 characters long");
        Rule(!string.IsNullOrWhiteSpace(options.Topic), nameof(options.Topic), options.Topic, "the name of a topic");
        Rule(options.FlushInterval >= TimeSpan.FromMilliseconds(10) && options.FlushInterval <= TimeSpan.FromHours(1), nameof(options.FlushInterval), options.FlushInterval, "between 00:00:00.010 and 01:00:00");
        Rule(options.QueueBytes is >= MinQueueBytes and <= MaxQueueBytes, nameof(options.QueueBytes), options.QueueBytes, $"between {MinQueueBytes} and {MaxQueueBytes}");
        Rule(options.MaxSeries is >= 1 and <= MaxMaxSeries, nameof(options.MaxSeries), options.MaxSeries, $"between 1 and {MaxMaxSeries}");
        Rule(options.ShutdownTimeout >= TimeSpan.Zero && options.ShutdownTimeout <= TimeSpan.FromHours(1), nameof(options.ShutdownTimeout), options.ShutdownTimeout, "between 00:00:00 and 01:00:00");
        failures.AddRange(options.Security.Validate($"{StreamMetricsClientOptions.Section}:{nameof(options.Security)}"));
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,100}\z")]
    private static partial Regex ServiceIds();
}
