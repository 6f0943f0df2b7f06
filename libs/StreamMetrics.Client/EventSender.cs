using Microsoft.Extensions.Logging;
using StreamMetrics.Client.Events;
using StreamMetrics.Client.Kafka;

namespace StreamMetrics.Client;

/// <summary>
/// The thread that moves events from the queue to Kafka. It owns the producer and the reading end of the queue; others only call
/// <see cref="Wake"/> and <see cref="Stop"/>.
/// </summary>
sealed class EventSender : IEventProducerObserver
{
    // An idle sender is woken by the first event; this only bounds how long it looks away.
    static readonly TimeSpan IdleWait = TimeSpan.FromSeconds(1);

    // After it found events it comes back by itself, so that a busy program does not wake it for each event.
    static readonly TimeSpan BusyWait = TimeSpan.FromMilliseconds(5);
    static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    readonly StreamMetricsClientOptions _options;
    readonly EventRecorder _recorder;
    readonly EventRing _ring;
    readonly byte[] _key;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock _waking = new();
    readonly Throttle _troubleLog;
    readonly Throttle _dropLog;
    EventProducer? _producer;
    long _handedOver;
    long _reported;
    long _acknowledged;
    long _dropsLogged;
    long _stopRequested;
    bool _isShutdownOver;

    /// <summary>Creates the producer and starts the thread.</summary>
    /// <exception cref="EventProducerException">A Kafka setting is wrong.</exception>
    public EventSender(StreamMetricsClientOptions options, EventRecorder recorder, EventRing ring, byte[] key, TimeProvider time, ILogger logger)
    {
        (_options, _recorder, _ring, _key, _time, _logger) = (options, recorder, ring, key, time, logger);
        (_troubleLog, _dropLog) = (new(time, LogInterval), new(time, LogInterval));
        _producer = CreateProducer();
        recorder.WakeReader = Wake;
        new Thread(Run) { IsBackground = true, Name = "StreamMetrics.Client" }.Start();
    }

    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Completes when the thread has ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Ends the thread once everything is acknowledged or the time for the shutdown is over.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopRequested, _time.GetTimestamp());
        Wake();
    }

    void IEventProducerObserver.Delivered(in Delivery delivery)
    {
        _reported++;
        if (delivery.IsAcknowledged)
        {
            Interlocked.Increment(ref _acknowledged);
            return;
        }

        _recorder.Dropped(_isShutdownOver ? DropReason.Shutdown : DropReason.Refused);
        if (_troubleLog.IsDue()) Log.Refused(_logger, EventProducer.Describe(delivery.ErrorCode));
    }

    void IEventProducerObserver.Trouble(int code, string reason)
    {
        if (_troubleLog.IsDue()) Log.Trouble(_logger, reason);
    }

    void IEventProducerObserver.Log(int severity, string text) => Log.Kafka(_logger, text);

    void Wake()
    {
        lock (_waking) _producer?.Wake();
    }

    void Run()
    {
        try
        {
            while (!IsDone()) RunOnce();
            GiveUpTheRest();
        }
        catch (Exception e)
        {
            // A defect of ours must not take the program down that is measured; the client's owner sees it when disposing.
            _recorder.Close();
            Log.SenderFailed(_logger, e);
            _ended.SetException(e);
            return;
        }

        _ended.SetResult();
    }

    void RunOnce()
    {
        try
        {
            var wait = Drain() || IsStopping ? BusyWait : _recorder.TryFallAsleep() ? IdleWait : TimeSpan.Zero;
            _producer!.Poll(wait);
            _recorder.Awake();
        }
        catch (EventProducerException e)
        {
            Log.ProducerReplaced(_logger, _handedOver - _reported, e.Message);
            _recorder.Dropped(DropReason.Refused, _handedOver - _reported);
            _reported = _handedOver;
            ReplaceProducer(CreateProducer());
        }

        LogDrops();
    }

    /// <summary>Hands over what is in the queue. True when it found something.</summary>
    bool Drain()
    {
        var found = false;
        while (_ring.TryPeek(out var data))
        {
            found = true;
            var error = _producer!.Send(_key, data, 0);
            if (error == EventProducer.QueueFull) return true;
            _ring.Advance();
            if (error == 0)
            {
                _handedOver++;
                continue;
            }

            _recorder.Dropped(DropReason.Refused);
            if (_troubleLog.IsDue()) Log.Refused(_logger, EventProducer.Describe(error));
        }

        return found;
    }

    bool IsStopping => Volatile.Read(ref _stopRequested) != 0;

    bool IsDone()
    {
        if (!IsStopping) return false;
        if (_handedOver == _reported && !_ring.TryPeek(out _)) return true;
        return _time.GetElapsedTime(Volatile.Read(ref _stopRequested)) >= _options.ShutdownTimeout;
    }

    void GiveUpTheRest()
    {
        _isShutdownOver = true;
        for (; _ring.TryPeek(out _); _ring.Advance()) _recorder.Dropped(DropReason.Shutdown);
        _producer!.Purge();
        _producer.Poll(TimeSpan.Zero);
        _recorder.Dropped(DropReason.Shutdown, _handedOver - _reported);
        ReplaceProducer(null);
        LogDrops();
    }

    EventProducer CreateProducer() => new(_options.Topic, ProducerSettings.Create(_options.BootstrapServers, [.. _options.Security.ToSettings(), .. _options.Kafka]), this);

    void ReplaceProducer(EventProducer? next)
    {
        EventProducer? old;
        lock (_waking) (old, _producer) = (_producer, next);
        old?.Dispose();
    }

    void LogDrops()
    {
        var dropped = _recorder.AllDropped;
        if (dropped == _dropsLogged || (!_isShutdownOver && !_dropLog.IsDue())) return;
        Log.Dropped(_logger, dropped - _dropsLogged);
        _dropsLogged = dropped;
    }
}
