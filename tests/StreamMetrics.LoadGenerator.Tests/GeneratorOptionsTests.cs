using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.LoadGenerator.Tests;

public sealed class GeneratorOptionsTests
{
    [Theory]
    [InlineData("LoadGenerator__EventsPerSecond", "-1", "LoadGenerator:EventsPerSecond")]
    [InlineData("LoadGenerator__EventsPerSecond", "many", "LoadGenerator:EventsPerSecond")]
    [InlineData("LoadGenerator__InvalidShare", "0.9", "LoadGenerator:InvalidShare")]
    [InlineData("LoadGenerator__Series", "100", "LoadGenerator:Series is 100: 20 services need 200 series or more.")]
    [InlineData("LoadGenerator__Variation", "Wild", "LoadGenerator:Variation")]
    [InlineData("ConnectionStrings__kafka", null, "ConnectionStrings:kafka")]
    [InlineData("LoadGenerator__DataDirectory", "/dev/null/x", "LoadGenerator:DataDirectory")]
    public Task A_wrong_option_ends_the_start_with_one_line_that_names_it(string key, string? value, string expected) =>
        AssertFails(expected, new() { [key] = value });

    [Fact]
    public Task A_wrong_Kafka_setting_ends_the_start_with_one_line_that_names_it() =>
        AssertFails("LoadGenerator:Kafka: Kafka setting linger.msx=1", [], "--LoadGenerator:Kafka:linger.msx=1");

    static async Task AssertFails(string expected, Dictionary<string, string?> options, params string[] arguments)
    {
        await using var kafka = await EmbeddedKafkaUnderTest.StartAsync();
        using var data = new TempFolder("generator");
        options.TryAdd("ConnectionStrings__kafka", kafka.BootstrapServers);
        options.TryAdd("LoadGenerator__DataDirectory", data.Path);
        await using var generator = ServiceProcess.Start("StreamMetrics.LoadGenerator", options, arguments);
        Assert.Equal(1, await generator.WaitForExitAsync());
        var errors = generator.Output.Where(l => l.StartsWith("error: ", StringComparison.Ordinal)).ToList();
        Assert.Contains(expected, Assert.Single(errors), StringComparison.Ordinal);
        Assert.DoesNotContain(generator.Output, l => l.Contains("   at ", StringComparison.Ordinal));
    }
}
