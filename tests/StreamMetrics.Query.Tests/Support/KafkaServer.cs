using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests.Support;

/// <summary>One real broker with the product's topics, beside the <see cref="Servers"/>.</summary>
public sealed class KafkaServer : IAsyncLifetime
{
    RealKafka? _kafka;

    public IKafkaUnderTest Kafka => _kafka ?? throw new InvalidOperationException(RealKafka.Unavailable);

    public async Task InitializeAsync()
    {
        // the tests say themselves that they are skipped
        if (RealKafka.Unavailable is not null) return;
        _kafka = await RealKafka.StartAsync(brokers: 1);
        await _kafka.CreateProductTopicsAsync();
    }

    public async Task DisposeAsync()
    {
        if (_kafka is not null) await _kafka.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class KafkaCollection : ICollectionFixture<KafkaServer>, ICollectionFixture<Servers>
{
    public const string Name = "Kafka, Redis and PostgreSQL";
}
