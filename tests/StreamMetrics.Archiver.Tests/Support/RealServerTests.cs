using Confluent.Kafka;
using Npgsql;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Archiver.Tests.Support;

[CollectionDefinition(Name)]
public sealed class KafkaCollection : ICollectionFixture<EveryKafkaFixture>
{
    public const string Name = "Kafka";
}

/// <summary>What the outage tests of every project rely on: servers that stop, die and come back on their data.</summary>
public sealed class RealServerTests
{
    [Fact]
    public async Task PostgreSQL_keeps_its_data_over_a_stop_and_a_kill()
    {
        await using var postgres = await RealPostgres.StartAsync();
        var database = await postgres.CreateDatabaseAsync();
        await ExecuteAsync(database, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
        await postgres.StopAsync();
        await Assert.ThrowsAsync<NpgsqlException>(() => ExecuteAsync(database, "SELECT 1"));
        await postgres.ResumeAsync();
        await ExecuteAsync(database, "INSERT INTO t VALUES (2)");
        await postgres.KillAsync();
        await postgres.ResumeAsync();
        Assert.Equal(3L, await ExecuteAsync(database, "SELECT sum(n) FROM t"));
    }

    [Fact]
    public async Task Redis_keeps_its_data_over_a_stop_and_comes_back_after_a_kill()
    {
        await using var redis = await RealRedis.StartAsync();
        using (var connection = await redis.ConnectAsync()) await connection.GetDatabase().StringSetAsync("k", "v");
        await redis.StopAsync();
        await redis.ResumeAsync();
        await redis.KillAsync();
        await redis.ResumeAsync();
        using var again = await redis.ConnectAsync();
        Assert.Equal("v", await again.GetDatabase().StringGetAsync("k"));
    }

    [Fact]
    public async Task A_program_and_its_children_are_gone_after_dispose()
    {
        var program = ChildProcess.Start("sleeper", ["sh", "-c", "sleep 300 & echo child $!; wait"]);
        var child = (await program.WaitForOutputAsync(l => l.StartsWith("child ", StringComparison.Ordinal)))[6..];
        await program.DisposeAsync();
        await Eventually.TrueAsync("the child goes", () => !File.Exists($"/proc/{child}/stat") || File.ReadAllText($"/proc/{child}/stat").Contains(") Z", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_program_goes_when_the_test_process_was_killed()
    {
        // A shell plays the test process: it starts the guarded program and is then killed.
        await using var host = ChildProcess.Start("host", ["sh", "-c", "sleep 300"]);
        await using var program = ChildProcess.StartOwnedBy(host.Pid, "sleeper", ["sleep", "300"]);
        await host.KillAsync();
        Assert.Equal(128 + Signal.Kill.Number, await program.WaitForExitAsync());
    }

    static async Task<object?> ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}

[Collection(KafkaCollection.Name)]
public sealed class RealKafkaTests(EveryKafkaFixture fixture)
{
    [RealKafkaFact]
    public async Task A_topic_survives_the_kill_of_a_broker()
    {
        var kafka = (RealKafka)await fixture.GetAsync(KafkaKind.Real);
        await kafka.CreateTopicAsync("survivor", partitions: 3);
        using var producer = kafka.CreateProducer();
        await producer.ProduceAsync("survivor", new Message<byte[]?, byte[]?> { Value = [1] });
        await kafka.KillAsync(2);
        await producer.ProduceAsync("survivor", new Message<byte[]?, byte[]?> { Value = [2] });
        await kafka.ResumeAsync(2);
        // A leader that was just elected may take a moment to know how far all copies are.
        await Eventually.AssertAsync("both records are there", async () =>
            Assert.Equal([1, 2], (await TopicReader.ReadAsync(kafka.BootstrapServers, "survivor")).Select(r => (int)r.Message.Value![0]).Order()));
    }
}
