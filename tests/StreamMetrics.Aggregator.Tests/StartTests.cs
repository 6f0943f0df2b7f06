using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Aggregator.Tests;

/// <summary>What the program says when it cannot start.</summary>
public class StartTests
{
    [Theory]
    [InlineData("Aggregator__CommitInterval", "00:05:00", "Aggregator:CommitInterval is '00:05:00'; it must be from")]
    [InlineData("Aggregator__Delivery", "Twice", "Aggregator:Delivery")]
    [InlineData("Aggregator__Engine__Grace", "01:00:00", "Aggregator:Engine:Grace")]
    [InlineData("Aggregator__Live__MaxCallsPerSecond", "1", "Aggregator:Live:MaxCallsPerSecond is '1'; it must be from 10 to 100,000")]
    [InlineData("Aggregator__Catalog__File", "/no/such/file.json", "Aggregator:Catalog:File is '/no/such/file.json': Could not find")]
    [InlineData("ConnectionStrings__kafka", "", "ConnectionStrings:kafka")]
    public async Task A_bad_option_stops_the_start_with_one_line_that_names_its_key(string key, string value, string message)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__kafka"] = $"127.0.0.1:{Ports.Free()}",
            ["ConnectionStrings__redis"] = $"127.0.0.1:{Ports.Free()}",
            ["Kafka__Topics__Timeout"] = "00:00:01",
        };
        environment[key] = value;
        await using var service = ServiceProcess.Start("StreamMetrics.Aggregator", environment);
        Assert.Equal(1, await service.WaitForExitAsync());
        var line = Assert.Single(service.Output, l => l.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Contains(message, line, StringComparison.Ordinal);
        Assert.DoesNotContain(service.Output, l => l.TrimStart().StartsWith("at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_used_is_named()
    {
        await using var kafka = await EmbeddedKafkaUnderTest.StartAsync();
        using var folder = new TempFolder("start");
        await File.WriteAllTextAsync(folder.Combine("file"), "");
        await using var service = ServiceProcess.Start(
            "StreamMetrics.Aggregator",
            new Dictionary<string, string?> { ["ConnectionStrings__kafka"] = kafka.BootstrapServers, ["Aggregator__DataDirectory"] = folder.Combine("file") });
        Assert.Equal(1, await service.WaitForExitAsync());
        Assert.Single(service.Output, l => l.StartsWith("error: Aggregator:DataDirectory is '", StringComparison.Ordinal));
    }
}
