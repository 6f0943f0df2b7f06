using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMetrics.Contracts;
using StreamMetrics.Streams.Worker;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

/// <summary>A worker in this process on the embedded broker, with records that fail.</summary>
public sealed class WorkerTests : IAsyncLifetime, IDisposable
{
    const int Events = 50;
    const int Poison = 20;

    readonly AggregatorMetrics _metrics = new(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>());
    readonly TempFolder _data = new("worker");
    EmbeddedKafkaUnderTest? _kafka;

    public async Task InitializeAsync()
    {
        _kafka = await EmbeddedKafkaUnderTest.StartAsync();
        await _kafka.CreateProductTopicsAsync();
    }

    public Task DisposeAsync() => _kafka!.DisposeAsync().AsTask();

    public void Dispose()
    {
        _metrics.Dispose();
        _data.Dispose();
    }

    [Fact]
    public async Task A_record_that_fails_three_times_is_dead_lettered_and_the_others_count_once()
    {
        var attempts = new ConcurrentQueue<long>();
        await RunAsync(
            offset =>
            {
                if (offset != Poison) return;
                attempts.Enqueue(offset);
                throw new InvalidOperationException("It always fails.");
            },
            async () =>
            {
                var letter = Assert.Single(await TopicReader.ReadAsync(_kafka!.BootstrapServers, Topics.DeadLetter));
                Assert.Equal(ReasonCodes.ProcessingFailed, Header(letter, KafkaHeaders.Reason));
                Assert.Contains("InvalidOperationException: It always fails.", Header(letter, KafkaHeaders.Message), StringComparison.Ordinal);
                Assert.Equal(Poison.ToString(CultureInfo.InvariantCulture), Header(letter, KafkaHeaders.Offset));
                Assert.Equal("3", Header(letter, KafkaHeaders.Attempts));
                Assert.Equal(Events - 1, await CountedAsync());
            });
        Assert.Equal(3, attempts.Count);
    }

    [Fact]
    public async Task A_record_that_fails_twice_counts_once_like_all_others()
    {
        var left = 2;
        await RunAsync(
            offset =>
            {
                if (offset == Poison && left-- > 0) throw new InvalidOperationException("Not yet.");
            },
            async () => Assert.Equal(Events, await CountedAsync()));
        Assert.Empty(await TopicReader.ReadAsync(_kafka!.BootstrapServers, Topics.DeadLetter));
    }

    async Task RunAsync(Action<long> beforeRecord, Func<Task> assertions)
    {
        var options = new WorkerOptions { BootstrapServers = _kafka!.BootstrapServers, DataDirectory = _data.Path, SessionTimeout = TimeSpan.FromMinutes(1) };
        options.Engine.Pane = TimeSpan.FromSeconds(1);
        options.Engine.SlidingName = "";
        options.Engine.Grace = TimeSpan.FromSeconds(1);
        options.Engine.Windows = [new() { Name = WindowNames.OneMinute, Size = TimeSpan.FromSeconds(2) }];
        using var worker = new StreamMetrics.Streams.Worker.Worker(options, 0, _metrics, null, TimeProvider.System, NullLogger.Instance)
        {
            BeforeRecord = (_, offset) => beforeRecord(offset),
        };
        using var stop = new CancellationTokenSource();
        var running = BackgroundStep.Start("worker", () => worker.Run(stop.Token));
        try
        {
            using var producer = _kafka.CreateProducer();
            for (var i = 0; i < Events; i++) producer.Produce(Topics.Events, new() { Key = "svc"u8.ToArray(), Value = Event(i) });
            await Eventually.AssertAsync("the worker has processed everything", assertions);
        }
        finally
        {
            await stop.CancelAsync();
            Assert.True(running.Wait(Eventually.DefaultTimeout));
        }

        Assert.Null(running.Error);
    }

    async Task<long> CountedAsync() =>
        (await TopicReader.ReadAsync(_kafka!.BootstrapServers, Topics.Aggregated1m))
        .Select(r => JsonSerializer.Deserialize(r.Message.Value, ContractsJson.Default.Aggregate)!)
        .Where(a => a.Scope == AggregateScope.Total)
        .Sum(a => a.Count);

    static byte[] Event(int number) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"eventId":"{{Guid.NewGuid()}}","timestamp":{{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()}},"serviceId":"svc","metricType":"TIMER","metricName":"m","value":{{number}},"unit":"ms"}"""));

    static string Header(ConsumeResult<byte[]?, byte[]?> record, string name) => Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
}
