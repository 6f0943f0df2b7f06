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

/// <summary>
/// How long a partition with many series takes to come back. Fills the state topic with one: every series gets some events, and then, if
/// asked to, a load goes on in real time with a commit a second, so that windows close and the brokers compact the topic. Then it is
/// restored. Prints one line of JSON a restore.
/// </summary>
static class RestoreRun
{
    /// <summary>Runs it.</summary>
    /// <param name="args"><c>--bootstrap SERVERS [--series 100000] [--events-per-series 3] [--minutes 0] [--events-per-second 2000]</c>.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var bootstrap = Arguments.Option(args, "--bootstrap", "127.0.0.1:19092");
        var series = Arguments.Number(args, "--series", 100_000);
        await WorkTopics.RecreateAsync(bootstrap);
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var metrics = new AggregatorMetrics(services.GetRequiredService<IMeterFactory>());
        var options = new WorkerOptions { BootstrapServers = bootstrap, GroupId = $"restore-{Guid.NewGuid():n}", StatisticsInterval = TimeSpan.Zero, TransactionTimeout = TimeSpan.FromMinutes(1) };
        options.Engine.MaxSeriesPerService = options.Engine.MaxSeriesPerPartition = series + 1;
        using (var load = new Load(options, metrics, series))
        {
            load.Fill(Arguments.Number(args, "--events-per-series", 3));
            await load.RunAsync(TimeSpan.FromMinutes(Arguments.Number(args, "--minutes", 0)), Arguments.Number(args, "--events-per-second", 2_000));
            series = load.Series; // those without events for a while are forgotten
        }

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

    /// <summary>An engine whose commits go to the brokers; its input is in no log.</summary>
    sealed class Load : IDisposable
    {
        readonly PartitionEngine _engine;
        readonly IConsumer<Ignore, Ignore> _consumer;
        readonly TransactionalProducer _producer;
        readonly Random _random = new(1);
        readonly int _series;

        public Load(WorkerOptions options, AggregatorMetrics metrics, int series)
        {
            _series = series;
            _engine = new PartitionEngine(0, options.Engine);
            _engine.CompleteRestore();
            _consumer = new ConsumerBuilder<Ignore, Ignore>(ClientSettings.Reader(options, IsolationLevel.ReadCommitted)).Build();
            _producer = new TransactionalProducer(0, options, metrics);
            _producer.Open();
        }

        public int Series => _engine.Statistics.Series;

        public void Fill(int perSeries)
        {
            for (var i = 0; i < _series * perSeries; i++) Process(i % _series);
            Commit();
        }

        public async Task RunAsync(TimeSpan span, int eventsPerSecond)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), TimeProvider.System);
            var start = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(start) < span)
            {
                await timer.WaitForNextTickAsync();
                for (var i = 0; i < eventsPerSecond; i++) Process(_random.Next(_series));
                Commit();
            }
        }

        public void Dispose()
        {
            _producer.Dispose();
            _consumer.Dispose();
        }

        void Process(int series)
        {
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            var value = Encoding.UTF8.GetBytes(string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"eventId":"{{Guid.Empty}}","timestamp":{{now}},"serviceId":"svc","metricType":"TIMER","metricName":"m","value":{{_random.Next(1000)}},"unit":"ms","tags":{"n":"{{series}}"} }"""));
            _engine.Process(new InputRecord { Offset = _engine.Position, LogTime = now, Key = "svc"u8, Value = value });
        }

        void Commit()
        {
            _producer.Begin();
            _engine.WriteCommit(new CommitOutput(_producer, null));
            _producer.Commit(_engine.Position, _consumer.ConsumerGroupMetadata);
        }
    }
}
