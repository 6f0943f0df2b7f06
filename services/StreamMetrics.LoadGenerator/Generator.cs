using Confluent.Kafka;
using Microsoft.Extensions.Options;
using StreamMetrics.Client.Kafka;
using StreamMetrics.LoadGenerator.Ledger;
using StreamMetrics.LoadGenerator.Sending;
using StreamMetrics.LoadGenerator.Simulation;
using StreamMetrics.ServiceDefaults.Kafka;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.LoadGenerator;

/// <summary>
/// The generator's loop. Each tick: how many events are due → send them → enter acknowledgements → write the ledger down now and then. When
/// Kafka pushes back, the tick ends and the rest stays due. It ends when the host stops: then what is on its way is waited for.
/// </summary>
sealed class Generator : BackgroundService
{
    static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);
    static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(2);
    static readonly TimeSpan MissedLogInterval = TimeSpan.FromSeconds(10);
    static readonly TimeSpan RecountTimeout = TimeSpan.FromSeconds(60);
    static readonly TimeSpan RecountRetry = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    readonly LoadGeneratorOptions _options;
    readonly string _bootstrapServers;
    readonly IReadOnlyDictionary<string, string> _security;
    readonly TimeProvider _time;
    readonly GeneratorMetrics _metrics;
    readonly KafkaClientMetrics _clientMetrics;
    readonly ILogger<Generator> _logger;
    readonly Lock _ledgerLock = new();
    readonly WindowLedger _ledger = new();
    readonly LedgerFile _file;
    readonly World _world;
    LoadSender? _sender;
    LedgerState? _lastRun;
    EventIds? _ids;
    string _mark = "";
    long _lastMade;
    long _lastSaved;
    long _lastMissedLogged;
    long _ticks;
    volatile bool _isSending;
    double _missedReported;
    Task _saving = Task.CompletedTask;

    public Generator(
        IOptions<LoadGeneratorOptions> options, IConfiguration configuration, TimeProvider time, GeneratorMetrics metrics, KafkaClientMetrics clientMetrics,
        ILogger<Generator> logger)
    {
        (_options, _time, _metrics, _clientMetrics, _logger) = (options.Value, time, metrics, clientMetrics, logger);
        _bootstrapServers = configuration.GetConnectionString("kafka")
            ?? throw new StartupException("ConnectionStrings:kafka is missing: it names the Kafka brokers as host:port, several separated by commas.");
        _security = KafkaSecurity.Of(configuration);
        _file = new(_options.DataDirectory);
        _world = World.Create(_options);
        Pacer = new(time, _options);
    }

    /// <summary>The rate, to be read and changed by any thread.</summary>
    public Pacer Pacer { get; }

    /// <summary>The ledger as it is now. Any thread.</summary>
    /// <param name="from">First start of a window, ms since the epoch.</param>
    /// <param name="to">End of the starts.</param>
    public (long AsOf, EventCounts Counts, IReadOnlyList<LedgerWindow> Windows) ReadLedger(long from, long to)
    {
        var now = Now();
        lock (_ledgerLock) return (_sender?.OldestInFlight ?? now, _ledger.Counts with { }, _ledger.Windows(from, to, now));
    }

    /// <summary>Returns when what the pacer was told holds: the tick that may still have gone by the old word is over, and what it sent is in the ledger.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        for (var before = Interlocked.Read(ref _ticks); _isSending && Interlocked.Read(ref _ticks) == before;) await Task.Delay(Tick, _time, cancellationToken);
    }

    public override void Dispose()
    {
        _sender?.Dispose();
        base.Dispose();
    }

    /// <summary>What can be wrong with options and data folder is found here, so that it stops the start.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        _lastRun = _file.Read();
        _mark = _lastRun?.Mark ?? EventIds.NewMark();
        _ids = new(_mark, Now());
        try
        {
            _sender = new(_world, _options, _ids, _bootstrapServers, _security, _ledger, _ledgerLock, _time, _clientMetrics, _logger);
        }
        catch (EventProducerException e)
        {
            throw new StartupException($"{LoadGeneratorOptions.Section}:Kafka: {e.Message}", e);
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        await Task.Yield();
        RestoreLedger();
        await CountWhatIsMissingAsync(stopping);
        await _file.WriteAsync(State());
        Log.Started(_logger, _options.EventsPerSecond, _world.Series.Count, _options.Services, _options.DataDirectory);
        // A thread of its own: 200 ticks a second on the thread pool cost more in spinning workers than 10,000 events.
        await Task.Factory.StartNew(() => RunLoop(stopping), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await _saving;
        await _file.WriteAsync(State());
        if (_sender!.IsIdle) Log.Stopped(_logger, _ledger.Counts.Acknowledged);
        else Log.StoppedUnacknowledged(_logger, _sender.InFlight);
    }

    void RestoreLedger()
    {
        if (_lastRun is null) return;
        lock (_ledgerLock)
        {
            _ledger.Counts = _lastRun.Counts;
            _ledger.SetOffsets(_lastRun.NextOffsets);
            foreach (var window in _lastRun.Windows) _ledger.Restore(window);
        }
    }

    /// <summary>
    /// Brings the ledger to the end of the topic; after that the first event may be sent. It may take several attempts: a topic that was
    /// created a moment ago has no leaders yet. An attempt goes on where the last one ended, since the ledger knows its offsets.
    /// </summary>
    async Task CountWhatIsMissingAsync(CancellationToken stopping)
    {
        var recount = new TopicRecount(_bootstrapServers, _security, _ledger, _ids!, _time, _logger);
        var started = _time.GetTimestamp();
        var before = _ledger.Counts.Acknowledged;
        while (true)
        {
            try
            {
                lock (_ledgerLock)
                {
                    if (_lastRun is null) recount.StartAtTheEnd();
                    else recount.Run(stopping);
                    _ledger.Counts.Sent = _ledger.Counts.Acknowledged;
                }

                break;
            }
            catch (KafkaException e) when (_time.GetElapsedTime(started) < RecountTimeout)
            {
                Log.RecountRetried(_logger, e.Error.Reason);
                await Task.Delay(RecountRetry, _time, stopping);
            }
        }

        if (_lastRun is not null) Log.Recounted(_logger, _ledger.Counts.Acknowledged - before);
        _lastRun = null;
    }

    void RunLoop(CancellationToken stopping)
    {
        Pacer.Start();
        (_lastMade, _lastSaved, _lastMissedLogged) = (Now(), _time.GetTimestamp(), _time.GetTimestamp());
        _isSending = true;
        try
        {
            while (!stopping.WaitHandle.WaitOne(Tick))
            {
                SendWhatIsDue();
                EnterWhatWasAcknowledged();
                Interlocked.Increment(ref _ticks);
                SaveNowAndThen();
            }
        }
        finally
        {
            _isSending = false;
        }

        // What was made is waited for, so that an orderly stop leaves a complete ledger.
        using var never = new ManualResetEvent(false);
        for (var started = _time.GetTimestamp(); !_sender!.IsIdle && _time.GetElapsedTime(started) < StopTimeout; never.WaitOne(Tick))
        {
            _sender.SendWaiting();
            EnterWhatWasAcknowledged();
        }
    }

    void SendWhatIsDue()
    {
        var now = Now();
        Pacer.Sent(_sender!.Send(Pacer.Due(), Math.Min(_lastMade, now), now));
        _lastMade = now;
    }

    void EnterWhatWasAcknowledged()
    {
        var (sent, acknowledged) = _sender!.Poll();
        var missed = Pacer.Missed;
        _metrics.Batch(sent, acknowledged, missed - _missedReported);
        if (missed > _missedReported && _time.GetElapsedTime(_lastMissedLogged) >= MissedLogInterval)
        {
            _lastMissedLogged = _time.GetTimestamp();
            Log.RateMissed(_logger, Pacer.EventsPerSecond, (long)missed, _sender.InFlight);
        }

        _missedReported = missed;
    }

    /// <summary>Begins to write the ledger down, beside the loop; a failure of the last time ends the generator.</summary>
    void SaveNowAndThen()
    {
        if (_time.GetElapsedTime(_lastSaved) < SaveInterval || !_saving.IsCompleted) return;
        if (_saving.Exception is { } failure) throw failure.InnerException!;
        _lastSaved = _time.GetTimestamp();
        _saving = _file.WriteAsync(State());
    }

    LedgerState State()
    {
        lock (_ledgerLock)
        {
            return new()
            {
                Version = LedgerState.CurrentVersion,
                Mark = _mark,
                NextOffsets = [.. _ledger.NextOffsets],
                Counts = _ledger.Counts with { },
                Windows = _ledger.Windows(long.MinValue, long.MaxValue, Now()),
            };
        }
    }

    long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();
}
