using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using StreamMetrics.Streams;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Benchmarks.Aggregator;

/// <summary>How long a partition with many series takes to come back: fills the state topic with one, then restores it. Prints one line of JSON.</summary>
static class RestoreRun
{
    const long StartTime = 1_800_000_000_000;

    /// <summary>Runs it.</summary>
    /// <param name="args"><c>--bootstrap SERVERS [--series 100000] [--events-per-series 3]</c>.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var bootstrap = Arguments.Option(args, "--bootstrap", "127.0.0.1:19092");
        var series = int.Parse(Arguments.Option(args, "--series", "100000"), CultureInfo.InvariantCulture);
        var perSeries = int.Parse(Arguments.Option(args, "--events-per-series", "3"), CultureInfo.InvariantCulture);
        await WorkTopics.RecreateAsync(bootstrap);
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var metrics = new AggregatorMetrics(services.GetRequiredService<IMeterFactory>());
        var options = new WorkerOptions { BootstrapServers = bootstrap, GroupId = $"restore-{Guid.NewGuid():n}", StatisticsInterval = TimeSpan.Zero };
        options.Engine.MaxSeriesPerService = options.Engine.MaxSeriesPerPartition = series + 1;
        Fill(options, metrics, series, perSeries);
        for (var i = 0; i < 3; i++) Restore(options, metrics, series);
        return 0;
    }

    static void Restore(WorkerOptions options, AggregatorMetrics metrics, int series)
    {
        using var restorer = new StateRestorer(options, TimeProvider.System);
        using var producer = new TransactionalProducer(0, options, metrics);
        var start = TimeProvider.System.GetTimestamp();
        var restored = restorer.Restore(0, producer, CancellationToken.None);
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        if (restored.Engine.Statistics.Series != series) throw new InvalidOperationException($"{restored.Engine.Statistics.Series} series came back.");
        Console.WriteLine(JsonSerializer.Serialize(new { series, records = restored.Records, seconds = Math.Round(seconds, 3), rssMb = Process.GetCurrentProcess().WorkingSet64 >> 20 }));
    }

    static void Fill(WorkerOptions options, AggregatorMetrics metrics, int series, int perSeries)
    {
        var engine = new PartitionEngine(0, options.Engine);
        engine.CompleteRestore();
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(ClientSettings.Reader(options, IsolationLevel.ReadCommitted)).Build();
        using var producer = new TransactionalProducer(0, options, metrics);
        producer.Open();
        for (var i = 0; i < series * perSeries; i++)
        {
            var value = Encoding.UTF8.GetBytes(string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"eventId":"{{Guid.Empty}}","timestamp":{{StartTime + (i / 100)}},"serviceId":"svc","metricType":"TIMER","metricName":"m","value":{{i % 997}},"unit":"ms","tags":{"n":"{{i % series}}"} }"""));
            engine.Process(new InputRecord { Offset = i, LogTime = StartTime + (i / 100), Key = "svc"u8, Value = value });
        }

        producer.Begin();
        engine.WriteCommit(new CommitOutput(producer, null));
        producer.Commit(engine.Position, consumer.ConsumerGroupMetadata);
    }
}
