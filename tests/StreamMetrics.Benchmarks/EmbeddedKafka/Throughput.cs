using System.Globalization;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace StreamMetrics.Benchmarks.EmbeddedKafka;

/// <summary>
/// What a broker carries with the real client on the same machine: <c>dotnet run -c Release -- embedded-kafka [--records N] [--cores N] [--kafka-home DIR]</c>.
/// Prints one JSON line for the embedded broker and, with an Apache Kafka distribution, one for a single Apache Kafka broker measured in the same run.
/// </summary>
static class Throughput
{
    const int RecordBytes = 400, Partitions = 6, PacedPerSecond = 10_000, PacedSeconds = 10;
    const string Topic = "throughput";

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is ["serve", var folder]) return await BrokerProcess.ServeAsync(folder);
        if (args is ["start", ..]) return await StartTime.RunAsync(Option(args, "--times", 20));
        var records = Option(args, "--records", 3_000_000);
        var cores = Option(args, "--cores", 2);
        if (OperatingSystem.IsLinux() && cores < Environment.ProcessorCount) System.Diagnostics.Process.GetCurrentProcess().ProcessorAffinity = (1 << cores) - 1;
        await MeasureAsync(await BrokerProcess.StartEmbeddedAsync(), records, cores);
        var at = Array.IndexOf(args, "--kafka-home");
        var home = at >= 0 ? args[at + 1] : Environment.GetEnvironmentVariable("KAFKA_HOME");
        if (home is not null) await MeasureAsync(await BrokerProcess.StartApacheAsync(home), records, cores);
        else Console.WriteLine("Apache Kafka is not measured: neither --kafka-home nor KAFKA_HOME is given.");
        return 0;
    }

    static async Task MeasureAsync(BrokerProcess broker, int records, int cores)
    {
        await using (broker)
        {
            using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Servers }).Build())
            {
                await admin.CreateTopicsAsync([new TopicSpecification { Name = Topic, NumPartitions = Partitions, ReplicationFactor = 1 }]);
            }

            // Both sides are compiled and their buffers grown before anything counts.
            Produce(broker.Servers, records / 10);
            Fetch(broker.Servers, records / 10);
            var (produced, produceCpu) = Timed(broker, () => Produce(broker.Servers, records));
            var (fetched, fetchCpu) = Timed(broker, () => Fetch(broker.Servers, records));
            var latencies = await PacedAsync(broker.Servers);
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                broker = broker.Name,
                cores,
                records,
                bytes = RecordBytes,
                producedPerSecond = Math.Round(records / produced),
                fetchedPerSecond = Math.Round(records / fetched),
                brokerCpuSecondsPerMillionProduced = Math.Round(produceCpu / records * 1e6, 3),
                brokerCpuSecondsPerMillionFetched = Math.Round(fetchCpu / records * 1e6, 3),
                ackMsAt10k = new { p50 = Percentile(latencies, 0.5), p99 = Percentile(latencies, 0.99), p999 = Percentile(latencies, 0.999) },
            }));
        }
    }

    static (double Seconds, double BrokerCpu) Timed(BrokerProcess broker, Action work)
    {
        var (started, cpu) = (TimeProvider.System.GetTimestamp(), broker.CpuSeconds);
        work();
        return (TimeProvider.System.GetElapsedTime(started).TotalSeconds, broker.CpuSeconds - cpu);
    }

    /// <summary>acks=all and idempotent, in batches; returns when everything is acknowledged.</summary>
    static void Produce(string servers, int records)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = servers, EnableIdempotence = true, Acks = Acks.All, LingerMs = 10, BatchSize = 131_072, QueueBufferingMaxMessages = 500_000,
            QueueBufferingMaxKbytes = 262_144, EnableDeliveryReports = false,
        }).Build();
        var message = new Message<Null, byte[]> { Value = Payload() };
        for (var i = 0; i < records;)
        {
            try
            {
                producer.Produce(new TopicPartition(Topic, i % Partitions), message);
                i++;
            }
            catch (ProduceException<Null, byte[]> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
            {
                producer.Poll(TimeSpan.FromMilliseconds(5));
            }
        }

        producer.Flush(Timeout.InfiniteTimeSpan);
    }

    static void Fetch(string servers, int records)
    {
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = servers, GroupId = "throughput", EnableAutoCommit = false, FetchWaitMaxMs = 100, QueuedMaxMessagesKbytes = 262_144, QueuedMinMessages = 500_000,
        }).Build();
        consumer.Assign(Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(Topic, partition, 0)));
        for (var i = 0; i < records; i++)
        {
            if (consumer.Consume(TimeSpan.FromSeconds(30)) is null) throw new TimeoutException($"Only {i} of {records} records arrived.");
        }
    }

    /// <summary>Milliseconds from the call to the acknowledgement, at a steady rate.</summary>
    static async Task<double[]> PacedAsync(string servers)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = servers, EnableIdempotence = true, Acks = Acks.All, LingerMs = 1 }).Build();
        var latencies = new double[PacedPerSecond * PacedSeconds];
        var payload = new Message<Null, byte[]> { Value = Payload() };
        var started = TimeProvider.System.GetTimestamp();
        var done = 0;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        for (var sent = 0; sent < latencies.Length && await timer.WaitForNextTickAsync();)
        {
            var due = (int)Math.Min(latencies.Length, TimeProvider.System.GetElapsedTime(started).TotalSeconds * PacedPerSecond);
            for (; sent < due; sent++)
            {
                var (slot, at) = (sent, TimeProvider.System.GetTimestamp());
                producer.Produce(new TopicPartition(Topic, sent % Partitions), payload, _ =>
                {
                    latencies[slot] = TimeProvider.System.GetElapsedTime(at).TotalMilliseconds;
                    Interlocked.Increment(ref done);
                });
            }
        }

        producer.Flush(TimeSpan.FromSeconds(30));
        if (done < latencies.Length) throw new TimeoutException($"{latencies.Length - done} records were not acknowledged.");
        // The first second is the producer's own start.
        latencies = latencies[PacedPerSecond..];
        Array.Sort(latencies);
        return latencies;
    }

    static double Percentile(double[] sorted, double q) => Math.Round(sorted[(int)(q * (sorted.Length - 1))], 2);

    static byte[] Payload()
    {
        var payload = new byte[RecordBytes];
        new Random(1).NextBytes(payload);
        return payload;
    }

    static int Option(string[] args, string name, int fallback)
    {
        var at = Array.IndexOf(args, name);
        return at < 0 ? fallback : int.Parse(args[at + 1], CultureInfo.InvariantCulture);
    }
}
