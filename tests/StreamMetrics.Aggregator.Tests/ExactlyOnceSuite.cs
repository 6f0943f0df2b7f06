using StreamMetrics.TestSupport;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace StreamMetrics.Aggregator.Tests;

/// <summary>
/// Three aggregators are killed, stopped beyond the session timeout and continued, and restarted in a scripted order while events come; then
/// what was committed must equal, byte for byte, what an undisturbed run of the same log gives.
/// </summary>
public abstract class ExactlyOnceSuite(ITestOutputHelper output) : IDisposable
{
    readonly TempFolder _data = new("chaos");

    /// <inheritdoc/>
    public void Dispose()
    {
        _data.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The script.</summary>
    /// <param name="kafka">The cluster, empty.</param>
    /// <param name="eventsPerSecond">Load.</param>
    /// <param name="rounds">How often the script runs.</param>
    /// <param name="freeze">How long an aggregator stands still; longer than the session timeout.</param>
    /// <param name="disturb">Something that is done to the broker in the middle of each round.</param>
    protected async Task Every_event_counts_once(IKafkaUnderTest kafka, int eventsPerSecond, int rounds, TimeSpan freeze, Func<Task>? disturb = null)
    {
        await kafka.CreateProductTopicsAsync();
        var aggregators = new ServiceProcess[3];
        try
        {
            for (var i = 0; i < aggregators.Length; i++) aggregators[i] = Start(kafka);
            foreach (var aggregator in aggregators) await aggregator.WaitForHealthAsync();
            using var load = new EventLoad(kafka, seed: 7);
            using var stop = new CancellationTokenSource();
            var running = load.RunAsync(eventsPerSecond, stop.Token);
            for (var round = 0; round < rounds; round++) await DisturbAsync(kafka, aggregators, freeze, disturb);
            await stop.CancelAsync();
            await running;
            await load.FlushAsync();

            var outputs = await AggregatorUnderTest.SettleAsync(kafka, () => string.Concat(aggregators.Select(a => a.Tail())));
            output.WriteLine($"{load.Acknowledged} events, {load.Invalid} invalid, {outputs.LateRecords.Count} late, {outputs.Aggregates.Count} aggregates");
            AggregatorSuite.AssertCounts(outputs, load);
        }
        finally
        {
            foreach (var aggregator in aggregators) await (aggregator?.DisposeAsync() ?? default);
        }
    }

    async Task DisturbAsync(IKafkaUnderTest kafka, ServiceProcess[] aggregators, TimeSpan freeze, Func<Task>? disturb)
    {
        await Pause(2);
        await RestartAsync(0, kill: true);
        await Pause(1);
        await LoseGroupAsync(aggregators[1], freeze, async () =>
        {
            await Pause(1);
            await RestartAsync(2, kill: true);
            if (disturb is not null) await disturb();
        });
        await Pause(2);
        await RestartAsync(1, kill: true);
        await Pause(1);
        await RestartAsync(0, kill: false);
        await Pause(2);

        async Task RestartAsync(int index, bool kill)
        {
            if (kill) await aggregators[index].KillAsync();
            else
            {
                // It was started a moment ago: one that has not come to listen for the signal is ended by it.
                await aggregators[index].WaitForHealthAsync("/alive");
                Assert.Equal(0, await aggregators[index].StopAsync());
            }

            await aggregators[index].DisposeAsync();
            aggregators[index] = Start(kafka);
        }
    }

    /// <summary>
    /// Stops an aggregator until the group has given its partitions to others, and lets it go on as if nothing had been. A member that stands
    /// still in the middle of a rebalance counts as alive until that ends, so one time may not be enough.
    /// </summary>
    static async Task LoseGroupAsync(ServiceProcess aggregator, TimeSpan freeze, Func<Task> meanwhile)
    {
        for (var attempt = 1; ; attempt++)
        {
            var frozen = TimeProvider.System.GetTimestamp();
            aggregator.Freeze();
            if (attempt == 1) await meanwhile();
            var left = freeze - TimeProvider.System.GetElapsedTime(frozen);
            if (left > TimeSpan.Zero) await Task.Delay(left, TimeProvider.System);
            aggregator.Thaw();
            try
            {
                await aggregator.WaitForOutputAsync("lost partitions", TimeSpan.FromSeconds(20));
                return;
            }
            catch (XunitException e) when (attempt < 10 && e.InnerException is not HopelessException)
            {
                // It stood in a rebalance.
            }
        }
    }

    ServiceProcess Start(IKafkaUnderTest kafka) => AggregatorUnderTest.Start(kafka, _data, ("Aggregator__Delivery", "ExactlyOnce"));

    static Task Pause(int seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System);
}

/// <summary>On three real brokers.</summary>
public sealed class RealKafkaExactlyOnceTests(ITestOutputHelper output) : ExactlyOnceSuite(output)
{
    /// <inheritdoc cref="ExactlyOnceSuite"/>
    [RealKafkaFact]
    public async Task Every_event_counts_once_on_real_Kafka()
    {
        await using var kafka = await RealKafka.StartAsync();
        await Every_event_counts_once(kafka, 3_000, 1, AggregatorUnderTest.SessionTimeout * 1.5);
    }

    /// <inheritdoc cref="ExactlyOnceSuite"/>
    [RealKafkaFact]
    [Trait("Category", "Full")]
    public async Task Every_event_counts_once_in_three_minutes_of_load_on_real_Kafka()
    {
        await using var kafka = await RealKafka.StartAsync();
        await Every_event_counts_once(kafka, 20_000, 8, AggregatorUnderTest.SessionTimeout * 2);
    }
}

/// <summary>On the embedded broker, which is killed as well.</summary>
public sealed class EmbeddedKafkaExactlyOnceTests(ITestOutputHelper output) : ExactlyOnceSuite(output)
{
    /// <inheritdoc cref="ExactlyOnceSuite"/>
    [Fact]
    public async Task Every_event_counts_once_on_the_embedded_broker_that_is_killed_too()
    {
        await using var kafka = await EmbeddedKafkaProcess.StartAsync();
        await Every_event_counts_once(kafka, 3_000, 1, AggregatorUnderTest.SessionTimeout * 1.5, kafka.KillAndRestartAsync);
    }

    /// <inheritdoc cref="ExactlyOnceSuite"/>
    [Fact]
    [Trait("Category", "Full")]
    public async Task Every_event_counts_once_in_three_minutes_of_load_on_the_embedded_broker()
    {
        await using var kafka = await EmbeddedKafkaProcess.StartAsync();
        await Every_event_counts_once(kafka, 20_000, 8, AggregatorUnderTest.SessionTimeout * 2, kafka.KillAndRestartAsync);
    }
}
