using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMetrics.Contracts;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Benchmarks.Aggregator;

/// <summary>
/// Work W: a topic <c>metrics-events</c> that is full already is read from its start, aggregated in 1, 5 and 15 minute windows and written back,
/// exactly once or at least once, by the aggregator's worker in this process. Prints one line of JSON in the form other programs print for
/// the same work. Output and state topics are created anew.
/// </summary>
static class WorkW
{
    /// <summary>Runs it.</summary>
    /// <param name="args"><c>--bootstrap SERVERS --events N [--mode eos|alo] [--kafka name=value,...]</c>; the last are settings of the Kafka clients.</param>
    /// <returns>0; 1 when the counts do not add up.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var bootstrap = Arguments.Option(args, "--bootstrap", "127.0.0.1:19092");
        var mode = Arguments.Option(args, "--mode", "eos");
        var events = long.Parse(Arguments.Option(args, "--events", "8000000"), CultureInfo.InvariantCulture);
        await WorkTopics.RecreateAsync(bootstrap);
        var ends = WorkTopics.Ends(bootstrap, Topics.Events);
        var settings = Arguments.Option(args, "--kafka", "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(s => s.Split('=')).ToDictionary(s => s[0], s => s[1]);
        var (seconds, cpuSeconds) = Run(bootstrap, mode, settings, ends);
        var sums = WorkTopics.SumCounts(bootstrap, out var outputs);
        var figures = new
        {
            peer = "streammetrics",
            mode,
            events,
            seconds = Math.Round(seconds, 3),
            eventsPerSecond = (long)(events / seconds),
            cpuSeconds = Math.Round(cpuSeconds, 2),
            eventsPerCpuSecond = (long)(events / cpuSeconds),
            rssMb = Process.GetCurrentProcess().PeakWorkingSet64 >> 20,
            outputs,
        };
        Console.WriteLine(JsonSerializer.Serialize(figures));
        foreach (var (window, sum) in sums)
        {
            if (sum == events) continue;
            await Console.Error.WriteLineAsync($"error: the counts of the {window} windows add up to {sum}, not {events}");
            return 1;
        }

        return 0;
    }

    static (double Seconds, double CpuSeconds) Run(string bootstrap, string mode, Dictionary<string, string> settings, Dictionary<int, long> ends)
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var metrics = new AggregatorMetrics(services.GetRequiredService<IMeterFactory>());
        var options = new WorkerOptions
        {
            BootstrapServers = bootstrap,
            GroupId = $"work-w-{Guid.NewGuid():n}",
            InstanceId = "work-w",
            Delivery = mode == "eos" ? DeliveryGuarantee.ExactlyOnce : DeliveryGuarantee.AtLeastOnce,
            IdleClock = false,
            Kafka = settings,
            StatisticsInterval = TimeSpan.Zero,
        };
        using var worker = new Worker(options, 0, metrics, null, TimeProvider.System, NullLogger.Instance);
        long start = 0;
        var cpuBefore = TimeSpan.Zero;
        worker.RunToEnd(ends, () => (start, cpuBefore) = (TimeProvider.System.GetTimestamp(), Environment.CpuUsage.TotalTime));
        return (TimeProvider.System.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpuBefore).TotalSeconds);
    }
}
