using Microsoft.Extensions.Logging;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>One announced broker.</summary>
internal readonly record struct BrokerEndpoint(int Id, string Host, int Port);

/// <summary>The parts of the broker, wired together, and its background work. Knows nothing of sockets.</summary>
internal sealed class Broker : IAsyncDisposable
{
    readonly CancellationTokenSource _stopping = new();
    readonly List<Task> _background = [];

    public Broker(EmbeddedKafkaOptions options)
    {
        Options = options;
        Logger = options.LoggerFactory.CreateLogger("StreamMetrics.EmbeddedKafka");
        Store = MetaStore.Open(options.DataDirectory);
        Topics = new(Store, options.DataDirectory, Time, Logger);
        Topics.Open();
        ProducerIds = new(Store);
        Groups = new(Topics.Find(TopicRegistry.Offsets, 0)!, Time, options, Logger);
        Transactions = new(Topics.Find(TopicRegistry.Transactions, 0)!, Topics, Groups, ProducerIds, Time, options, Logger);
        Topics.Deleted += Groups.TopicDeleted;
        Groups.Load();
        Groups.ForgetMissing(topic => Topics.Find(topic) is not null);
        Transactions.Load();
        Memory = new(options.MaxInFlightBytes);
    }

    public EmbeddedKafkaOptions Options { get; }

    public ILogger Logger { get; }

    public MetaStore Store { get; }

    public TopicRegistry Topics { get; }

    public GroupCoordinator Groups { get; }

    public TransactionCoordinator Transactions { get; }

    public ProducerIds ProducerIds { get; }

    public MemoryBudget Memory { get; }

    /// <summary>Set once, when the ports are known.</summary>
    public BrokerEndpoint[] Endpoints { get; set; } = [];

    public TimeProvider Time => Options.TimeProvider;

    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The announced broker that a partition, a group or a transactional id belongs to. Every one serves everything.</summary>
    public BrokerEndpoint Owner(string key, int partition = 0)
    {
        var hash = (uint)partition;
        foreach (var c in key) hash = hash * 31 + c;
        // A topic's partitions follow each other round the brokers.
        return Endpoints[(int)((hash + (uint)partition) % (uint)Endpoints.Length)];
    }

    /// <summary>The announced brokers of a partition, its leader first. All of them are this process, so all are in sync.</summary>
    public int[] Replicas(TopicMeta topic, int partition)
    {
        // An assignment may name brokers that are no longer announced after a start with fewer.
        if (topic.Assignments.TryGetValue(partition, out var given) && Array.TrueForAll(given, id => id <= Endpoints.Length)) return given;
        var replicas = new int[Math.Min(topic.ReplicationFactor, Endpoints.Length)];
        var leader = Owner(topic.Name, partition).Id;
        for (var i = 0; i < replicas.Length; i++) replicas[i] = (leader - 1 + i) % Endpoints.Length + 1;
        return replicas;
    }

    public void StartBackground()
    {
        Every(TimeSpan.FromMilliseconds(50), "group deadlines", Groups.Tick);
        Every(Options.TransactionCheckInterval, "transaction timeouts", Transactions.Tick);
        Every(Options.FlushInterval, "flush", Flush);
        Every(Options.CleanupInterval, "retention and compaction", CleanUp);
        Every(TimeSpan.FromMinutes(1), "group expiry", Groups.ExpireGroups);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_background).ConfigureAwait(false);
        Topics.Close();
        Groups.Dispose();
        Transactions.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Retention and compaction of every log.</summary>
    void CleanUp()
    {
        foreach (var topic in Topics.All)
        {
            foreach (var log in topic.Partitions)
            {
                if (_stopping.IsCancellationRequested) return;
                CleanUp(log);
            }
        }
    }

    void CleanUp(PartitionLog log)
    {
        try
        {
            log.ApplyRetention(Now, (long)Options.ProducerIdExpiration.TotalMilliseconds);
            log.CompactIfDue(Now);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            // One damaged or full log must not keep the others from being cleaned.
            Log.BackgroundFailed(Logger, $"clean-up of {log.Topic}-{log.Partition}", e);
        }
    }

    void Flush()
    {
        foreach (var topic in Topics.All)
        {
            foreach (var log in topic.Partitions) log.Flush();
        }
    }

    void Every(TimeSpan interval, string name, Action work) => _background.Add(Task.Run(() => RunEvery(interval, name, work)));

    async Task RunEvery(TimeSpan interval, string name, Action work)
    {
        using var timer = new PeriodicTimer(interval, Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
            {
                try
                {
                    work();
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // One failed turn (a full disk, say) must not end the work for ever; producers get their own error.
                    Log.BackgroundFailed(Logger, name, e);
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The broker stops.
        }
    }
}
