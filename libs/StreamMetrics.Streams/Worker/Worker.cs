using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// One member of the consumer group on one thread: poll → process → punctuate → commit, for all its partitions. Everything that blocks
/// (restores, ends of commits, closing clients, Redis) runs elsewhere; the loop only looks whether it is done.
/// </summary>
public sealed class Worker : IDisposable
{
    /// <summary>Most records of a batch: some milliseconds of work, so that commits and live values stay punctual under load.</summary>
    const int BatchSize = 4_096;

    /// <summary>Longest wait for records: commits, live values and restores are looked after at least so often.</summary>
    static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(10);

    static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);

    readonly WorkerOptions _options;
    readonly AggregatorMetrics _metrics;
    readonly ILiveLane? _live;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly GroupInstance _instance;
    readonly IConsumer<Ignore, Ignore> _consumer;
    readonly StateRestorer _restorer;
    readonly IdleClock? _clock;
    readonly TaskContext _context;
    readonly Rebalancer _rebalancer;
    long _lastReport;

    /// <summary>Creates the clients; nothing is read before <see cref="Run"/>.</summary>
    /// <param name="options">Valid options.</param>
    /// <param name="index">Number of this worker in its process, from 0.</param>
    /// <param name="metrics">Metrics, shared by the workers of a process.</param>
    /// <param name="live">Where provisional values go; null for nowhere.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    /// <param name="catalog">What is known of services; null: nothing.</param>
    public Worker(
        WorkerOptions options, int index, AggregatorMetrics metrics, ILiveLane? live, TimeProvider time, ILogger logger, IServiceCatalog? catalog = null)
    {
        (_options, _metrics, _live, _time, _logger) = (options, metrics, live, time, logger);
        _instance = GroupInstance.Claim(options, index);
        _rebalancer = new(options, _instance.Name, live, CreateTask, logger);
        _consumer = _rebalancer.Attach(new ConsumerBuilder<Ignore, Ignore>(ClientSettings.Consumer(options, _instance.Name)))
            .SetStatisticsHandler((_, json) => metrics.ConsumerStatistics(json))
            .SetLogHandler(static (_, _) => { }) // its errors come to the error handler, in words
            .Build();
        _restorer = new(options, time);
        _clock = options.IdleClock ? new(options, _instance.Name, time, logger) : null;
        _context = new()
        {
            Options = options,
            Owner = _instance.Name,
            Restorer = _restorer,
            CreateProducer = CreateProducer,
            Membership = () => _consumer.ConsumerGroupMetadata,
            Metrics = metrics,
            Catalog = catalog,
            Time = time,
            Logger = logger,
        };
    }

    /// <summary>What the worker is doing, for health checks; safe for all threads.</summary>
    public WorkerHealth Health { get; } = new();

    /// <summary>Called with partition and offset before each record; for tests, which make records fail with it.</summary>
    internal Action<int, long> BeforeRecord
    {
        set => _context.BeforeRecord = value;
    }

    /// <summary>Works until told to stop, then commits what there is, gives the partitions back and returns.</summary>
    /// <param name="stop">Asks for the stop.</param>
    /// <exception cref="FatalWorkerException">Nothing but a human can help.</exception>
    public void Run(CancellationToken stop)
    {
        RunWhile(() => !stop.IsCancellationRequested);
    }

    /// <summary>
    /// Works through a log that nobody appends to, closes every window by moving the engines' clocks in memory, commits and returns. For
    /// measurements and recomputation: the closing is not in the log, so nothing may go on from there.
    /// </summary>
    /// <param name="ends">End offset of every input partition.</param>
    /// <param name="firstRecords">Called once, when the first records have come.</param>
    internal void RunToEnd(IReadOnlyDictionary<int, long> ends, Action firstRecords)
    {
        var begun = false;
        RunWhile(() =>
        {
            if (!begun && _rebalancer.Inputs.Any(i => i.Task.Engine is { HasChanges: true }))
            {
                begun = true;
                firstRecords();
            }

            return !(_rebalancer.Inputs.Count == ends.Count && _rebalancer.Inputs.All(i => BoundedInput.IsDone(i.Task, ends[i.Task.Partition])));
        });
    }

    /// <summary>Closes the clients. After a <see cref="Run"/> that failed nothing is committed any more.</summary>
    public void Dispose()
    {
        _rebalancer.CloseAll();
        _consumer.Dispose();
        _clock?.Dispose();
        _restorer.Dispose();
        _instance.Dispose();
    }

    void RunWhile(Func<bool> goOn)
    {
        Log.WorkerStarted(_logger, _instance.Name, _options.GroupId, _options.Delivery);
        using var reader = new BatchReader(_consumer, BatchSize);
        _consumer.Subscribe(Topics.Events);
        while (goOn()) RunOnce(reader);
        ShutDown();
    }

    // The loop is left only by a stop or by an exception that nothing can mend; what can be mended is the tasks' business.
    void RunOnce(BatchReader reader)
    {
        reader.Read(PollTime);
        _rebalancer.ThrowIfFailed();
        Process(reader);
        Punctuate();
        Commit();
        Health.Beat(_time.GetUtcNow());
    }

    void Process(BatchReader reader)
    {
        if (reader.Count == 0) return;
        var start = _time.GetTimestamp();
        try
        {
            RecordPump.Process(reader, _rebalancer, _logger);
        }
        finally
        {
            reader.Release();
        }

        _metrics.BatchProcessed(_time.GetElapsedTime(start));
    }

    void Punctuate()
    {
        var report = _time.GetElapsedTime(_lastReport) >= ReportInterval;
        if (report) _lastReport = _time.GetTimestamp();
        foreach (var input in _rebalancer.Inputs)
        {
            input.Task.Advance();
            if (InputFlow.Adjust(input, _consumer)) _live?.Forget(input.Task.Partition); // its series are another engine's from now on
            if (input.Task.State != TaskState.Running) continue;

            _clock?.Turn(input.Task.Engine!, EndOfLog);
            _live?.Turn(input.Task.Engine!);
            if (report) Report(input.Task);
        }
    }

    void Commit()
    {
        foreach (var input in _rebalancer.Inputs) input.Task.CommitIfDue();
    }

    void Report(PartitionTask task)
    {
        var status = task.Report(EndOfLog(task.Partition));
        _live?.Report(status);
    }

    /// <summary>End of an input partition as the last fetch told it; -1 before the first.</summary>
    long EndOfLog(int partition) => _consumer.GetWatermarkOffsets(new(Topics.Events, partition)).High.Value;

    /// <summary>Order: stop polling → commit what is processed → leave → close. Bounded by the option; what is not committed then is left to the next owner.</summary>
    void ShutDown()
    {
        var committed = _rebalancer.FinishAll(_options.ShutdownTimeout);
        _rebalancer.CloseAll();
        _consumer.Close();
        Log.WorkerStopped(_logger, _instance.Name, committed);
    }

    PartitionTask CreateTask(int partition, BackgroundStep? predecessor) => new(partition, _context, predecessor);

    PartitionProducer CreateProducer(int partition) => _options.Delivery switch
    {
        DeliveryGuarantee.ExactlyOnce => new TransactionalProducer(partition, _options, _metrics),
        _ => new IdempotentProducer(partition, _options, _metrics, offset => _consumer.Commit([offset])),
    };
}
