using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Client.Tests;

/// <summary>One broker for the tests of a class.</summary>
public sealed class KafkaFixture : IAsyncLifetime
{
    RealKafka? _kafka;

    public RealKafka Kafka => _kafka ?? throw new InvalidOperationException(RealKafka.Unavailable);

    /// <summary>Its address; one that nobody answers when there is none.</summary>
    public string Servers => _kafka?.BootstrapServers ?? "127.0.0.1:1";

    public async Task InitializeAsync()
    {
        if (RealKafka.Unavailable is null) _kafka = await RealKafka.StartAsync(brokers: 1);
    }

    public async Task DisposeAsync()
    {
        if (_kafka is not null) await _kafka.DisposeAsync();
    }
}
