using System.Buffers.Binary;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>What one client may cost: connections, bytes of answers nobody reads, sizes of requests.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task Connections_beyond_the_limit_are_closed_at_once_and_the_others_are_served()
    {
        using var folder = new TemporaryFolder();
        await using var server = await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = folder.Path, Brokers = 1, MaxConnections = 2 });
        var first = await RawClient.ConnectAsync(server.BootstrapServers);
        await using var second = await RawClient.ConnectAsync(server.BootstrapServers);
        await AskVersionsAsync(first);
        await AskVersionsAsync(second);
        await using (var third = await RawClient.ConnectAsync(server.BootstrapServers)) Assert.True(await third.IsClosedAsync());
        await AskVersionsAsync(first);
        await first.DisposeAsync();

        // The place is free again as soon as the broker has noticed.
        await Wait.ForAsync(() => IsServed(server.BootstrapServers), "a free connection");
    }

    [Fact]
    public async Task Answers_that_nobody_reads_leave_the_others_smaller_ones()
    {
        using var folder = new TemporaryFolder();
        await using var server = await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = folder.Path, Brokers = 1, MaxInFlightBytes = 32 << 20 });
        await BrokerFixture.CreateTopicAsync(server.BootstrapServers, "large");
        using (var producer = BrokerFixture.Producer(server.BootstrapServers))
        {
            var text = BrokerFixture.Text(800_000, 1);
            for (var i = 0; i < 60; i++) producer.Produce("large", BrokerFixture.Message("k", text));
            producer.Flush(Wait.Patience);
        }

        await using var reader = await RawClient.ConnectAsync(server.BootstrapServers);
        Assert.InRange(await LengthOfFetchAsync(reader), 20 << 20, 33 << 20);
        await using var next = await RawClient.ConnectAsync(server.BootstrapServers);
        Assert.InRange(await LengthOfFetchAsync(next), 800_000, 5 << 20);
        await reader.DisposeAsync();
        await next.DisposeAsync();

        // What the two held is free when the broker has noticed that they are gone.
        var length = 0;
        var started = TimeProvider.System.GetTimestamp();
        while (length <= 20 << 20 && TimeProvider.System.GetElapsedTime(started) < Wait.Patience)
        {
            await using var alone = await RawClient.ConnectAsync(server.BootstrapServers);
            length = await LengthOfFetchAsync(alone);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        Assert.InRange(length, 20 << 20, 33 << 20);
    }

    [Fact]
    public async Task Only_records_may_make_a_request_large()
    {
        using var folder = new TemporaryFolder();
        await using var server = await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = folder.Path, Brokers = 1 });
        await using var client = await RawClient.ConnectAsync(server.BootstrapServers);
        await client.SendAsync(ApiKey.Metadata, 1, flexible: false, w =>
        {
            var names = (16 << 20) / 2;
            w.ArrayLength(names);
            for (var i = 0; i < names; i++) w.String("");
        });
        Assert.True(await client.IsClosedAsync());
    }

    static Task<byte[]> AskVersionsAsync(RawClient client) => client.AskAsync(ApiKey.ApiVersions, 0, _ => { });

    static bool IsServed(string servers)
    {
        using var admin = BrokerFixture.Admin(servers);
        try
        {
            return admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Count == 1;
        }
        catch (Confluent.Kafka.KafkaException)
        {
            return false;
        }
    }

    /// <summary>Asks for everything and reads no more than the length of the answer.</summary>
    static async Task<int> LengthOfFetchAsync(RawClient client)
    {
        await client.SendAsync(ApiKey.Fetch, 4, flexible: false, w =>
        {
            w.Int32(-1);
            w.Int32(0);
            w.Int32(1);
            w.Int32(55 << 20);
            w.Byte(0);
            w.ArrayLength(1);
            w.String("large");
            w.ArrayLength(1);
            w.Int32(0);
            w.Int64(0);
            w.Int32(55 << 20);
        });
        var length = new byte[4];
        await client.Stream.ReadExactlyAsync(length).AsTask().WaitAsync(Wait.Patience);
        return BinaryPrimitives.ReadInt32BigEndian(length);
    }
}
