using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Benchmarks.Aggregator;

/// <summary>
/// How long partitions stand still when an aggregator is killed: once when it is started again at once, and once when it is not and the
/// others have to notice. Three aggregator processes, six partitions, events all the time. A partition works again when an offset is
/// committed that was not there when the aggregator was killed. Prints one line of JSON a kill; after a restart with its steps, in seconds since the
/// kill.
/// </summary>
static class TakeoverRun
{
    const int Instances = 3, EventsPerSecond = 2_000;

    static readonly JsonSerializerOptions Compact = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Runs it.</summary>
    /// <param name="args"><c>[--kafka embedded|real] [--kills 5]</c>; real needs <c>KAFKA_HOME</c> or <c>../shared/kafka</c>.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var kills = int.Parse(Arguments.Option(args, "--kills", "5"), CultureInfo.InvariantCulture);
        await using IKafkaUnderTest kafka = Arguments.Option(args, "--kafka", "embedded") == "real" ? await RealKafka.StartAsync() : await EmbeddedKafkaUnderTest.StartAsync();
        await kafka.CreateProductTopicsAsync();
        using var data = new TempFolder("takeover");
        var aggregators = Enumerable.Range(0, Instances).Select(i => Start(kafka, data, i)).ToArray();
        using var stop = new CancellationTokenSource();
        var load = ProduceAsync(kafka, stop.Token);
        try
        {
            foreach (var aggregator in aggregators) await aggregator.WaitForHealthAsync();
            using var offsets = new Offsets(kafka.BootstrapServers);
            for (var kill = 0; kill < kills; kill++)
            {
                await KillAsync(kafka, data, aggregators, kill % Instances, offsets, restart: true);
                await KillAsync(kafka, data, aggregators, kill % Instances, offsets, restart: false);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await load;
            foreach (var aggregator in aggregators) await aggregator.DisposeAsync();
        }

        return 0;
    }

    static async Task KillAsync(IKafkaUnderTest kafka, TempFolder data, ServiceProcess[] aggregators, int victim, Offsets offsets, bool restart)
    {
        foreach (var aggregator in aggregators) await aggregator.WaitForOutputAsync(" got partitions ");
        await offsets.WaitUntilPastAsync(offsets.Ends()); // everybody works
        await aggregators[victim].KillAsync();
        var ends = offsets.Ends();
        var killed = TimeProvider.System.GetTimestamp();
        await aggregators[victim].DisposeAsync();
        if (restart) aggregators[victim] = Start(kafka, data, victim);
        var (joins, assigned, restored) = restart ? (Seen(" joins group "), Seen(" got partitions "), Seen(" goes on at ")) : default;
        await offsets.WaitUntilPastAsync(ends);
        var seconds = Seconds();
        var steps = restart ? new { joins = await joins!, assigned = await assigned!, restored = await restored! } : null;
        Console.WriteLine(JsonSerializer.Serialize(new { kafka = kafka.GetType().Name, after = restart ? "restarted" : "taken over", seconds, steps }, Compact));
        if (!restart) aggregators[victim] = Start(kafka, data, victim);

        double Seconds() => Math.Round(TimeProvider.System.GetElapsedTime(killed).TotalSeconds, 3);

        async Task<double> Seen(string line)
        {
            await aggregators[victim].WaitForOutputAsync(line);
            return Seconds();
        }
    }

    static ServiceProcess Start(IKafkaUnderTest kafka, TempFolder data, int index) => ServiceProcess.Start("StreamMetrics.Aggregator", new Dictionary<string, string?>
    {
        ["ConnectionStrings__kafka"] = kafka.BootstrapServers,
        ["Aggregator__DataDirectory"] = data.Path,
        ["Aggregator__InstanceId"] = $"aggregator-{index}",
        ["Aggregator__CommitInterval"] = "00:00:00.100",
    });

    static async Task ProduceAsync(IKafkaUnderTest kafka, CancellationToken stop)
    {
        using var producer = kafka.CreateProducer();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        var partitions = Topics.All.Single(t => t.Name == Topics.Events).Partitions;
        for (var i = 0; !stop.IsCancellationRequested; await timer.WaitForNextTickAsync(CancellationToken.None))
        {
            for (var n = 0; n < EventsPerSecond / 100; n++, i++)
            {
                var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
                var value = string.Create(
                    CultureInfo.InvariantCulture,
                    $$"""{"eventId":"{{Guid.NewGuid()}}","timestamp":{{now}},"serviceId":"svc-{{i % 60}}","metricType":"TIMER","metricName":"m","value":{{i % 997}},"unit":"ms"}""");
                producer.Produce(new TopicPartition(Topics.Events, i % partitions), new() { Value = Encoding.UTF8.GetBytes(value) });
            }
        }

        producer.Flush(TimeSpan.FromSeconds(10));
    }

    /// <summary>Ends and committed offsets of the input.</summary>
    sealed class Offsets : IDisposable
    {
        static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

        readonly IConsumer<byte[], byte[]> _consumer;
        readonly TopicPartition[] _partitions;

        public Offsets(string bootstrap)
        {
            _consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
            {
                BootstrapServers = bootstrap,
                GroupId = Topics.ProcessorGroup,
                EnableAutoCommit = false,
                // Read committed, it would wait until no partition has a commit under way: with ten commits a second that may take seconds.
                IsolationLevel = IsolationLevel.ReadUncommitted,
            }).SetLogHandler((_, _) => { }).Build();
            _partitions = [.. Enumerable.Range(0, Topics.All.Single(t => t.Name == Topics.Events).Partitions).Select(p => new TopicPartition(Topics.Events, p))];
        }

        public long[] Ends() => [.. _partitions.Select(p => _consumer.QueryWatermarkOffsets(p, Timeout).High.Value)];

        public async Task WaitUntilPastAsync(long[] ends)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System); // asking costs the brokers something, too
            while (!IsPast(ends)) await timer.WaitForNextTickAsync();
        }

        public void Dispose() => _consumer.Dispose();

        bool IsPast(long[] ends) => _consumer.Committed(_partitions, Timeout).All(c => c.Offset.Value > ends[c.Partition.Value]);
    }
}
