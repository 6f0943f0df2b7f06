namespace StreamMetrics.TestSupport;

/// <summary>A Kafka that a test runs against: the embedded broker or three real ones. One abstract suite serves both.</summary>
public interface IKafkaUnderTest : IAsyncDisposable
{
    /// <summary>What clients are configured with.</summary>
    string BootstrapServers { get; }
}
