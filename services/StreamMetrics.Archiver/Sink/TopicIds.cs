using System.Globalization;
using Confluent.Kafka;
using Microsoft.Extensions.Options;
using StreamMetrics.ServiceDefaults.Kafka;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.Archiver.Sink;

/// <summary>
/// The ids that Kafka gave the aggregate topics (KIP-516), read once at the start: a topic that was deleted and created anew since the last run
/// has the same name and another id. Runs after the topics are there and before the sink.
/// </summary>
sealed class TopicIds(IConfiguration configuration, IOptions<ArchiverOptions> options, TimeProvider time, ILogger<TopicIds> logger) : IHostedService
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Topic → id.</summary>
    public IReadOnlyDictionary<string, string> Ids { get; private set; } = new Dictionary<string, string>();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = configuration.GetConnectionString("kafka") }.WithSecurity(configuration))
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { }) // the call reports its own errors
            .Build();
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                var answer = await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(SinkWorker.AggregateTopics), new() { RequestTimeout = RequestTimeout }).WaitAsync(cancellationToken);
                Ids = answer.TopicDescriptions.ToDictionary(t => t.Name, t => string.Create(CultureInfo.InvariantCulture, $"{t.TopicId.MostSignificantBits:x16}{t.TopicId.LeastSignificantBits:x16}"));
                return;
            }
            catch (KafkaException e)
            {
                if (time.GetElapsedTime(started) > options.Value.StartupTimeout) throw new StartupException($"ConnectionStrings:kafka: the aggregate topics cannot be described: {e.Error.Reason}", e);
                Log.ConsumeFailed(logger, e.Error.Reason);
                await Task.Delay(Interval, time, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
