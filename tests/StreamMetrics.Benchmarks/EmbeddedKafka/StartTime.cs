using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMetrics.EmbeddedKafka;

namespace StreamMetrics.Benchmarks.EmbeddedKafka;

/// <summary>
/// How long the embedded broker takes to start and stop inside a test process: <c>dotnet run -c Release -- embedded-kafka start [--times N]</c>. Prints one
/// JSON line each for a new folder and for one with 6 partitions of records; the first start of the process, which compiles everything, stands by itself.
/// </summary>
static class StartTime
{
    const int Partitions = 6, Records = 60_000;

    public static async Task<int> RunAsync(int times)
    {
        var folder = Directory.CreateTempSubdirectory("embedded-kafka-start-").FullName;
        try
        {
            var first = await OnceAsync(Path.Combine(folder, "first"));
            var empty = new List<(double, double)>();
            for (var i = 0; i < times; i++) empty.Add(await OnceAsync(Path.Combine(folder, $"{i}")));
            Report("new folder", first, empty);

            var filled = Path.Combine(folder, "filled");
            await FillAsync(filled);
            first = await OnceAsync(filled);
            var used = new List<(double, double)>();
            for (var i = 0; i < times; i++) used.Add(await OnceAsync(filled));
            Report($"{Partitions} partitions, {Records} records", first, used);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task<(double StartMs, double DisposeMs)> OnceAsync(string folder)
    {
        var started = TimeProvider.System.GetTimestamp();
        var server = await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = folder });
        var start = TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
        started = TimeProvider.System.GetTimestamp();
        await server.DisposeAsync();
        return (start, TimeProvider.System.GetElapsedTime(started).TotalMilliseconds);
    }

    static async Task FillAsync(string folder)
    {
        await using var server = await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = folder });
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = server.BootstrapServers }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = "filled", NumPartitions = Partitions, ReplicationFactor = 1 }]);
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = server.BootstrapServers, EnableIdempotence = true }).Build();
        for (var i = 0; i < Records; i++) producer.Produce(new TopicPartition("filled", i % Partitions), new() { Value = new byte[400] });
        producer.Flush(TimeSpan.FromMinutes(1));
    }

    static void Report(string what, (double StartMs, double DisposeMs) first, List<(double StartMs, double DisposeMs)> all) => Console.WriteLine(JsonSerializer.Serialize(new
    {
        folder = what,
        times = all.Count,
        firstMs = new { start = Round(first.StartMs), dispose = Round(first.DisposeMs) },
        medianMs = new { start = Round(Median(all.ConvertAll(of => of.StartMs))), dispose = Round(Median(all.ConvertAll(of => of.DisposeMs))) },
        worstMs = new { start = Round(all.Max(of => of.StartMs)), dispose = Round(all.Max(of => of.DisposeMs)) },
    }));

    static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    static double Round(double ms) => Math.Round(ms, 1);
}
