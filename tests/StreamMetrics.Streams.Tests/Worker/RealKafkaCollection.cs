using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

/// <summary>Tests that share one real Kafka cluster.</summary>
[CollectionDefinition(Name)]
public sealed class RealKafkaCollection : ICollectionFixture<RealKafkaFixture>
{
    public const string Name = "real Kafka";
}
