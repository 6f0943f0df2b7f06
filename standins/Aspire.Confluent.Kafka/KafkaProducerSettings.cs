using Confluent.Kafka;

namespace Aspire.Confluent.Kafka;

/// <summary>Settings of a producer; the section <c>Aspire:Confluent:Kafka:Producer</c> binds to it.</summary>
public sealed class KafkaProducerSettings
{
    public string? ConnectionString { get; set; }

    public ProducerConfig Config { get; } = new();

    /// <summary>Has to be true here, as the other two: what they switch on needs the real package.</summary>
    public bool DisableHealthChecks { get; set; }

    public bool DisableMetrics { get; set; }

    public bool DisableTracing { get; set; }

    internal void Consolidate()
    {
        Unsupported.ThrowUnless(DisableHealthChecks, nameof(DisableHealthChecks));
        Unsupported.ThrowUnless(DisableMetrics, nameof(DisableMetrics));
        Unsupported.ThrowUnless(DisableTracing, nameof(DisableTracing));
        if (ConnectionString is not null) KafkaConnectionString.Apply(ConnectionString, Config);
    }

    internal void Validate()
    {
        if (string.IsNullOrEmpty(Config.BootstrapServers)) throw new InvalidOperationException("No bootstrap servers configured.");
    }
}
