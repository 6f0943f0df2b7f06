using System.Text.Json;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Archiver.Tests.Support;

/// <summary>PostgreSQL and Redis for a class of tests; each test has a database of its own.</summary>
public sealed class StoresFixture : IAsyncLifetime
{
    public RealPostgres Postgres { get; private set; } = null!;

    public RealRedis Redis { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Postgres = await RealPostgres.StartAsync();
        Redis = await RealRedis.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (Postgres is not null) await Postgres.DisposeAsync();
        if (Redis is not null) await Redis.DisposeAsync();
    }
}

/// <summary>Starts archivers of one database and feeds them.</summary>
sealed class ArchiverSetting(IKafkaUnderTest kafka, string database, string redis)
{
    readonly string _group = $"archiver-{Guid.NewGuid():N}";

    public IKafkaUnderTest Kafka => kafka;

    public ServiceProcess StartArchiver(string? instance = "archiver-1", params (string Key, string Value)[] settings)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__kafka"] = kafka.BootstrapServers,
            ["ConnectionStrings__streammetrics"] = database,
            ["ConnectionStrings__redis"] = redis,
            ["Archiver__ConsumerGroup"] = _group,
            ["Archiver__InstanceId"] = instance,
        };
        foreach (var (key, value) in settings) environment[key] = value;
        return ServiceProcess.Start("StreamMetrics.Archiver", environment);
    }

    public async Task ProduceAsync(IEnumerable<Aggregate> aggregates)
    {
        using var producer = kafka.CreateProducer();
        Produce(producer, aggregates);
        await Task.Run(() => producer.Flush(Eventually.DefaultTimeout));
    }

    public static void Produce(IProducer<byte[]?, byte[]?> producer, IEnumerable<Aggregate> aggregates, Headers? headers = null)
    {
        foreach (var aggregate in aggregates)
        {
            producer.Produce(Topics.Aggregated(aggregate.Window), new Message<byte[]?, byte[]?>
            {
                Key = System.Text.Encoding.UTF8.GetBytes(aggregate.ServiceId),
                Value = JsonSerializer.SerializeToUtf8Bytes(aggregate, ContractsJson.Default.Aggregate),
                Headers = headers,
            });
        }
    }

    /// <summary>Waits until the table holds what the topics hold.</summary>
    public async Task AssertTableEqualsTopicsAsync(string phase, ServiceProcess archiver)
    {
        var expected = await ExpectedTable.OfTopicsAsync(kafka);
        await using var store = new ColdStore(database);
        await Eventually.AssertAsync(
            phase,
            async () =>
            {
                archiver.ThrowIfEnded();
                var rows = await store.RowsAsync();
                Assert.True(expected.Sum(r => r.Revision) == rows.Sum(r => r.Revision),
                    $"{expected.Sum(r => r.Revision)} aggregates in {expected.Count} rows expected, {rows.Sum(r => r.Revision)} in {rows.Count} found.{archiver.Tail()}");
                Assert.Equal(expected, rows);
            });
    }
}
