using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Aggregator.Tests;

/// <summary>What holds on any Kafka.</summary>
public abstract class AggregatorSuite : IDisposable
{
    readonly TempFolder _data = new("aggregator");

    /// <inheritdoc/>
    public void Dispose()
    {
        _data.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Events become final aggregates, corrections, dead letters and late records; two instances share the partitions.</summary>
    /// <param name="kafka">The cluster, empty.</param>
    /// <param name="delivery">The guarantee.</param>
    protected async Task Outputs_equal_an_offline_run(IKafkaUnderTest kafka, string delivery)
    {
        await kafka.CreateProductTopicsAsync();
        // Nobody dies here: an instance that a busy machine lets wait must not count as dead, or events count twice without transactions.
        (string, string)[] settings = [("Aggregator__Delivery", delivery), ("Aggregator__SessionTimeout", "00:01:00")];
        await using var first = AggregatorUnderTest.Start(kafka, _data, settings);
        await using var second = AggregatorUnderTest.Start(kafka, _data, settings);
        await first.WaitForHealthAsync();
        await second.WaitForHealthAsync();
        using var load = new EventLoad(kafka, seed: 1);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(8), TimeProvider.System);
        await load.RunAsync(2_000, stop.Token);
        await load.FlushAsync();

        var outputs = await AggregatorUnderTest.SettleAsync(kafka, () => first.Tail() + second.Tail());
        AssertCounts(outputs, load);
        Assert.Equal(0, await first.StopAsync());
        Assert.Equal(0, await second.StopAsync());
    }

    /// <summary>Counts add up to what was produced, per window size and scope, and no aggregate is there twice.</summary>
    internal static void AssertCounts(Outputs outputs, EventLoad load)
    {
        Assert.Equal(load.Invalid, outputs.DeadLetters.Count);
        var counted = load.Acknowledged - load.Invalid - outputs.LateRecords.Count;
        foreach (var group in outputs.Parsed.GroupBy(a => (a.Window, a.Scope))) Assert.Equal(counted, group.Sum(a => a.Count));
        Assert.Equal(6, outputs.Parsed.Select(a => (a.Window, a.Scope)).Distinct().Count());
        var identities = outputs.Parsed.Select(a => (a.Scope, a.ServiceId, a.MetricName, TagsHash.Compute(a.Tags), a.Window, a.Start, a.Partition, a.AsOfOffset));
        Assert.Equal(outputs.Parsed.Count, identities.Distinct().Count());
    }
}

/// <summary>On three real brokers; the short run of the tests has <see cref="RealKafkaExactlyOnceTests"/> instead.</summary>
public sealed class RealKafkaAggregatorTests : AggregatorSuite
{
    /// <inheritdoc cref="AggregatorSuite.Outputs_equal_an_offline_run"/>
    [RealKafkaFact]
    [Trait("Category", "Full")]
    public Task Outputs_equal_an_offline_run_on_real_Kafka() => RunAsync("ExactlyOnce");

    /// <inheritdoc cref="AggregatorSuite.Outputs_equal_an_offline_run"/>
    [RealKafkaFact]
    [Trait("Category", "Full")]
    public Task Outputs_equal_an_offline_run_without_transactions_on_real_Kafka() => RunAsync("AtLeastOnce");

    async Task RunAsync(string delivery)
    {
        await using var kafka = await RealKafka.StartAsync();
        await Outputs_equal_an_offline_run(kafka, delivery);
    }
}

/// <summary>On the embedded broker.</summary>
public sealed class EmbeddedKafkaAggregatorTests : AggregatorSuite
{
    /// <inheritdoc cref="AggregatorSuite.Outputs_equal_an_offline_run"/>
    [Theory]
    [InlineData("ExactlyOnce")]
    [InlineData("AtLeastOnce")]
    public async Task Outputs_equal_an_offline_run_on_the_embedded_broker(string delivery)
    {
        await using var kafka = await EmbeddedKafkaUnderTest.StartAsync();
        await Outputs_equal_an_offline_run(kafka, delivery);
    }
}
