using Aspire.Hosting.ApplicationModel;

namespace StreamMetrics.AppHost.Kafka;

/// <summary>
/// The Kafka cluster as the services see it: one connection string over all brokers. Aspire's own Kafka resource is a single broker, and
/// what this product promises (no acknowledged event lost, exactly once) needs three. The brokers themselves are resources of their own.
/// </summary>
sealed class KafkaClusterResource(string name, ReferenceExpression connectionString) : Resource(name), IResourceWithConnectionString, IResourceWithWaitSupport
{
    public ReferenceExpression ConnectionStringExpression { get; } = connectionString;
}
