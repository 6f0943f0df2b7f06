using Confluent.Kafka;

namespace StreamMetrics.EmbeddedKafka.Tests;

public sealed class RestartTests
{
    [Fact]
    public async Task Topics_records_groups_and_settings_survive_a_stop()
    {
        using var folder = new TemporaryFolder();
        var topic = BrokerFixture.NewName("topic");
        await using (var server = await BrokerFixture.StartAsync(folder.Path))
        {
            await BrokerFixture.CreateTopicAsync(server.BootstrapServers, topic, 2, ("retention.ms", "12345678"));
            using var producer = BrokerFixture.Producer(server.BootstrapServers);
            for (var i = 0; i < 100; i++) await producer.ProduceAsync(new TopicPartition(topic, 1), BrokerFixture.Message("k", $"{i}"));
            using var consumer = BrokerFixture.Consumer(server.BootstrapServers, "kept");
            consumer.Commit([new TopicPartitionOffset(topic, 1, 42)]);
        }

        await using var again = await BrokerFixture.StartAsync(folder.Path);
        var servers = again.BootstrapServers;
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), BrokerFixture.ReadAll(servers, topic, 1).ConvertAll(r => r.Message.Value));
        using var reader = BrokerFixture.Consumer(servers, "kept");
        Assert.Equal(42, reader.Committed([new TopicPartition(topic, 1)], Wait.Patience)[0].Offset.Value);
        using var admin = BrokerFixture.Admin(servers);
        var configs = await admin.DescribeConfigsAsync([new() { Type = Confluent.Kafka.Admin.ResourceType.Topic, Name = topic }]);
        Assert.Equal("12345678", configs[0].Entries["retention.ms"].Value);
        Assert.Equal(Confluent.Kafka.Admin.ConfigSource.DynamicTopicConfig, configs[0].Entries["retention.ms"].Source);
    }

    [Fact]
    public async Task A_folder_of_an_earlier_version_is_read()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "meta.json"), """
            {"version": 1, "clusterId": "earlier", "topics": [{"name": "t", "id": "0d6cbe1b-2d8c-4d0e-9c5b-6a2f1d1f7f11", "partitions": 1, "replicationFactor": 2, "settings": {}},
              {"name": "u", "id": "0d6cbe1b-2d8c-4d0e-9c5b-6a2f1d1f7f12", "partitions": 1, "replicationFactor": 2, "settings": {}, "assignments": null}]}
            """);
        await using var server = await BrokerFixture.StartAsync(folder.Path);
        using var producer = BrokerFixture.Producer(server.BootstrapServers);
        foreach (var topic in new[] { "t", "u" })
        {
            await producer.ProduceAsync(topic, BrokerFixture.Message("k", "v"));
            Assert.Single(BrokerFixture.ReadAll(server.BootstrapServers, topic));
        }
    }

    [Fact]
    public async Task A_torn_tail_is_cut_and_the_log_goes_on()
    {
        using var folder = new TemporaryFolder();
        await using (var server = await BrokerFixture.StartAsync(folder.Path))
        {
            await BrokerFixture.CreateTopicAsync(server.BootstrapServers, "torn");
            using var producer = BrokerFixture.Producer(server.BootstrapServers);
            for (var i = 0; i < 5; i++) await producer.ProduceAsync("torn", BrokerFixture.Message("k", $"{i}"));
        }

        var log = Directory.GetFiles(Path.Combine(folder.Path, "topics", "torn-0"), "*.log")[0];
        await File.WriteAllBytesAsync(log, (await File.ReadAllBytesAsync(log))[..^3]);
        await using var again = await BrokerFixture.StartAsync(folder.Path);
        using var after = BrokerFixture.Producer(again.BootstrapServers);
        Assert.Equal(4, (await after.ProduceAsync("torn", BrokerFixture.Message("k", "new"))).Offset.Value);
        Assert.Equal(["0", "1", "2", "3", "new"], BrokerFixture.ReadAll(again.BootstrapServers, "torn").ConvertAll(r => r.Message.Value));
    }

    [Fact]
    public void Sequences_open_transactions_and_aborted_ones_are_known_after_a_kill()
    {
        // A copy of the files of a running log is what a kill -9 leaves.
        using var log = new TestLog(("segment.bytes", "300"));
        for (var i = 0; i < 10; i++) log.Sequenced(1, i);
        log.Transaction(2, 1000, commit: false, ("k", "aborted"));
        log.OpenTransaction(3, 1000, ("k", "open"));
        for (var i = 10; i < 13; i++) log.Sequenced(1, i);
        using var copy = log.CopyAsAfterKill();
        Assert.Equal((log.Log.EndOffset, log.Log.LastStableOffset), (copy.Log.EndOffset, copy.Log.LastStableOffset));
        Assert.Equal(copy.Log.View(0, committedOnly: true, 1 << 20).Aborted, log.Log.View(0, committedOnly: true, 1 << 20).Aborted);
        var end = copy.Log.EndOffset;
        Assert.Equal(end - 1, copy.Sequenced(1, 12).BaseOffset);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, copy.Sequenced(1, 14).Error);
        Assert.Equal(end, copy.Sequenced(1, 13).BaseOffset);
    }

    [Fact]
    public void Damage_that_no_crash_explains_stops_the_start()
    {
        using var log = new TestLog(("segment.bytes", "300"));
        for (var i = 0; i < 10; i++) log.Append(1000, ("k", $"{i}"));
        using var copy = log.CopyAsAfterKill(folder =>
        {
            var first = Directory.GetFiles(folder, "*.log").Order().First();
            var bytes = File.ReadAllBytes(first);
            bytes[^1] ^= 1;
            File.WriteAllBytes(first, bytes);
            File.Delete(Path.ChangeExtension(first, ".index"));
        }, open: false);
        Assert.Contains("is damaged", Assert.Throws<InvalidDataException>(copy.Reopen).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_in_use_is_refused_with_one_sentence()
    {
        using var folder = new TemporaryFolder();
        await using var server = await BrokerFixture.StartAsync(folder.Path);
        var refused = await Assert.ThrowsAsync<EmbeddedKafkaStartException>(() => BrokerFixture.StartAsync(folder.Path));
        Assert.Contains(folder.Path, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_is_refused_with_its_number()
    {
        using var folder = new TemporaryFolder();
        using var other = new TemporaryFolder();
        await using var server = await BrokerFixture.StartAsync(folder.Path);
        var port = int.Parse(server.BootstrapServers.Split(',')[0].Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
        var refused = await Assert.ThrowsAsync<EmbeddedKafkaStartException>(() => BrokerFixture.StartAsync(other.Path, port));
        Assert.Contains($"{port}", refused.Message, StringComparison.Ordinal);
    }
}
