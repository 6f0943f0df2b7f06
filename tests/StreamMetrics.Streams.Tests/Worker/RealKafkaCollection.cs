using StreamMetrics.Streams.Worker;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

/// <summary>Tests that share one real Kafka cluster with the product's topics.</summary>
[CollectionDefinition(Name)]
public sealed class RealKafkaCollection : ICollectionFixture<ProductKafkaFixture>
{
    public const string Name = "real Kafka";
}

/// <summary>One real cluster with the product's topics.</summary>
public sealed class ProductKafkaFixture : IAsyncLifetime
{
    readonly RealKafkaFixture _cluster = new();

    /// <summary>The cluster.</summary>
    public RealKafka Kafka => _cluster.Kafka;

    /// <summary>Options with a group of its own.</summary>
    public WorkerOptions NewGroup() => new() { BootstrapServers = Kafka.BootstrapServers, GroupId = $"group-{Guid.NewGuid():n}" };

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        await _cluster.InitializeAsync();
        if (RealKafka.Unavailable is null) await Kafka.CreateProductTopicsAsync();
    }

    /// <inheritdoc/>
    public Task DisposeAsync() => _cluster.DisposeAsync();
}
