using StreamMetrics.TestSupport;

namespace StreamMetrics.EmbeddedKafka.Tests;

public sealed class HostTests
{
    [Fact]
    public async Task It_says_when_it_is_ready_and_stops_cleanly_on_a_signal()
    {
        using var folder = new TemporaryFolder();
        var port = Ports.FreeRange(3);
        using var host = await HostProcess.StartAsync(folder.Path, port, 3);
        Assert.Equal($"127.0.0.1:{port},127.0.0.1:{port + 1},127.0.0.1:{port + 2}", host.Servers);
        await BrokerFixture.CreateTopicAsync(host.Servers, "t");
        // A consumer with a parked fetch must not hold up the stop.
        using var consumer = BrokerFixture.Consumer(host.Servers, null, config => config.FetchWaitMaxMs = 300_000);
        consumer.Assign(new Confluent.Kafka.TopicPartitionOffset("t", 0, 0));
        consumer.Consume(TimeSpan.FromMilliseconds(300));
        Assert.Equal(0, await host.StopAsync());
    }

    [Fact]
    public async Task What_it_cannot_use_is_told_in_one_line()
    {
        using var folder = new TemporaryFolder();
        var port = Ports.FreeRange(1);
        using var host = await HostProcess.StartAsync(folder.Path, port);
        using var other = new TemporaryFolder();
        string[][] wrong =
        [
            ["--data", folder.Path, "--port", "0"],
            ["--data", other.Path, "--port", $"{port}", "--brokers", "1"],
            ["--data", other.Path, "--brokers", "0"],
            ["--data", other.Path, "--port", "abc"],
            ["--port", "0"],
        ];
        string[] named = [folder.Path, $"{port}", "Brokers", "EmbeddedKafka:Port", "EmbeddedKafka:Data"];
        for (var i = 0; i < wrong.Length; i++)
        {
            var (code, output, error) = await HostProcess.RunAsync(wrong[i]);
            Assert.Equal((1, ""), (code, output));
            Assert.Equal(1, error.Count(c => c == '\n'));
            Assert.StartsWith("error: ", error, StringComparison.Ordinal);
            Assert.Contains(named[i], error, StringComparison.Ordinal);
        }
    }
}
