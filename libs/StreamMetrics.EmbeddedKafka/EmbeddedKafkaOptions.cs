using Microsoft.Extensions.Logging;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>How an embedded broker runs. Every default is stated here and nowhere else.</summary>
public sealed class EmbeddedKafkaOptions
{
    /// <summary>Folder of the data; created when missing. One broker at a time may use it.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>First of <see cref="Brokers"/> consecutive TCP ports on 127.0.0.1; 0 = any free ports.</summary>
    public int Port { get; init; }

    /// <summary>Number of brokers announced, 1-16, each on its own port. All of them are this process and serve the same one copy of the data.</summary>
    public int Brokers { get; init; } = 3;

    /// <summary>Whether a client's metadata request creates a missing topic.</summary>
    public bool AutoCreateTopics { get; init; } = true;

    /// <summary>Partitions of a topic created without a number.</summary>
    public int DefaultPartitions { get; init; } = 4;

    /// <summary>Longest Produce request accepted, bytes; other requests may have 16 MiB at most.</summary>
    public int MaxRequestBytes { get; init; } = 100 << 20;

    /// <summary>
    /// Bytes of requests being handled and of records being sent at the same time. A connection whose request goes beyond is closed, and its client comes again;
    /// a fetch gets fewer records.
    /// </summary>
    public long MaxInFlightBytes { get; init; } = 512L << 20;

    /// <summary>Connections at the same time; further ones are closed at once.</summary>
    public int MaxConnections { get; init; } = 4096;

    /// <summary>How often written data is handed to the disk. It survives the death of the process without that; a loss of power takes at most this long.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often retention and compaction look for work.</summary>
    public TimeSpan CleanupInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the first rebalance of an empty group waits for more members.</summary>
    public TimeSpan GroupInitialRebalanceDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the offsets of a group without members are kept.</summary>
    public TimeSpan OffsetsRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Longest transaction timeout a producer may ask for.</summary>
    public TimeSpan TransactionMaxTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often open transactions are compared with their timeouts.</summary>
    public TimeSpan TransactionCheckInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long an unused transactional id is remembered.</summary>
    public TimeSpan TransactionalIdExpiration { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How long a partition remembers the sequence of an idle producer.</summary>
    public TimeSpan ProducerIdExpiration { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where log lines go; nowhere by default.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance;

    /// <summary>Null when the options can be used, else what is wrong, with the option's name.</summary>
    public string? Validate()
    {
        if (string.IsNullOrWhiteSpace(DataDirectory)) return $"{nameof(DataDirectory)} must name a folder.";
        if (Brokers is < 1 or > 16) return $"{nameof(Brokers)} is {Brokers}; it must be 1 to 16.";
        if (Port < 0 || Port + Brokers - 1 > 65535) return $"{nameof(Port)} is {Port}; {Brokers} ports from it on must lie in 1 to 65535 (or 0 = any free ones).";
        if (DefaultPartitions is < 1 or > 1000) return $"{nameof(DefaultPartitions)} is {DefaultPartitions}; it must be 1 to 1000.";
        return MaxRequestBytes < 1 << 20 ? $"{nameof(MaxRequestBytes)} is {MaxRequestBytes}; it must be at least 1 MiB." : null;
    }
}
