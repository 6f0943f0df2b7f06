using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Benchmarks.Tracing;

/// <summary>A load generator and an aggregator as processes, on an embedded broker of their own.</summary>
sealed class ServicesUnderLoad : IAsyncDisposable
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    readonly TempFolder _data = new("tracing");
    EmbeddedKafkaUnderTest? _kafka;
    ServiceProcess? _generator, _aggregator;
    IConsumer<byte[], byte[]>? _consumer;

    /// <summary>Starts them; the load is under way when it returns.</summary>
    /// <param name="rate">Events per second.</param>
    /// <param name="tracesPerSecond">Traces per second; null: no receiver of telemetry at all.</param>
    /// <param name="redis">Where the live values go.</param>
    /// <param name="otlp">Where the telemetry goes.</param>
    public static async Task<ServicesUnderLoad> StartAsync(int rate, double? tracesPerSecond, string redis, string otlp)
    {
        var services = new ServicesUnderLoad();
        try
        {
            await services.StartAllAsync(rate, tracesPerSecond, redis, otlp);
            return services;
        }
        catch
        {
            await services.DisposeAsync();
            throw;
        }
    }

    /// <summary>Processor time and events since the start of each.</summary>
    public async Task<Totals> ReadAsync()
    {
        using var http = new HttpClient { BaseAddress = _generator!.Address };
        using var ledger = JsonDocument.Parse(await http.GetStringAsync(new Uri("/ledger?from=0&to=0", UriKind.Relative)));
        var partitions = Enumerable.Range(0, Topics.All.Single(t => t.Name == Topics.Events).Partitions).Select(p => new TopicPartition(Topics.Events, p));
        return new(
            Cpu(_generator),
            ledger.RootElement.GetProperty("events").GetProperty("acknowledged").GetInt64(),
            Cpu(_aggregator!),
            _consumer!.Committed(partitions, Timeout).Sum(c => Math.Max(0, c.Offset.Value)));
    }

    public async ValueTask DisposeAsync()
    {
        _consumer?.Dispose();
        if (_generator is not null) await _generator.DisposeAsync();
        if (_aggregator is not null) await _aggregator.DisposeAsync();
        if (_kafka is not null) await _kafka.DisposeAsync();
        _data.Dispose();
    }

    async Task StartAllAsync(int rate, double? tracesPerSecond, string redis, string otlp)
    {
        _kafka = await EmbeddedKafkaUnderTest.StartAsync();
        await ((IKafkaUnderTest)_kafka).CreateProductTopicsAsync();
        _aggregator = ServiceProcess.Start("StreamMetrics.Aggregator", new Dictionary<string, string?>(Shared()) { ["Aggregator__DataDirectory"] = _data.Combine("aggregator") });
        await _aggregator.WaitForHealthAsync();
        _generator = ServiceProcess.Start("StreamMetrics.LoadGenerator", new Dictionary<string, string?>(Shared())
        {
            ["LoadGenerator__DataDirectory"] = _data.Combine("generator"),
            ["LoadGenerator__EventsPerSecond"] = rate.ToString(CultureInfo.InvariantCulture),
            ["LoadGenerator__TracesPerSecond"] = (tracesPerSecond ?? 0).ToString(CultureInfo.InvariantCulture),
        });
        await _generator.WaitForHealthAsync();
        _consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = _kafka.BootstrapServers, GroupId = Topics.ProcessorGroup, EnableAutoCommit = false }).Build();

        Dictionary<string, string?> Shared() => new()
        {
            ["ConnectionStrings__kafka"] = _kafka.BootstrapServers,
            ["ConnectionStrings__redis"] = redis,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = tracesPerSecond is null ? null : otlp,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "5000",
        };
    }

    static TimeSpan Cpu(ServiceProcess service)
    {
        using var process = Process.GetProcessById(service.Pid);
        return process.TotalProcessorTime;
    }

    /// <summary>What they have used and done.</summary>
    public readonly record struct Totals(TimeSpan GeneratorCpu, long Sent, TimeSpan AggregatorCpu, long Processed)
    {
        /// <summary>Processor time per event since earlier totals, µs.</summary>
        public (double Generator, double Aggregator) PerEventSince(in Totals before) => (
            (GeneratorCpu - before.GeneratorCpu).TotalMicroseconds / (Sent - before.Sent),
            (AggregatorCpu - before.AggregatorCpu).TotalMicroseconds / (Processed - before.Processed));
    }
}
