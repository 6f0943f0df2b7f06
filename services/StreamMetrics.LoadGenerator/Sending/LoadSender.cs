using System.Diagnostics;
using StreamMetrics.Client.Kafka;
using StreamMetrics.LoadGenerator.Ledger;
using StreamMetrics.LoadGenerator.Simulation;
using StreamMetrics.ServiceDefaults.Kafka;

namespace StreamMetrics.LoadGenerator.Sending;

/// <summary>Kafka gave up an event, which it is configured never to do.</summary>
sealed class EventLostException(string message) : Exception(message);

/// <summary>
/// Makes events, hands them to Kafka and enters what is acknowledged into the ledger. One thread at a time; the ledger's lock is held while
/// acknowledgements are entered, once per batch.
/// </summary>
sealed class LoadSender : IEventProducerObserver, IDisposable
{
    // One generator stands for many services: at 100,000 events/s it fills the usual 32 KiB long before the linger time is over, and brokers
    // pay per batch. At lower rates batches end by the linger time as everywhere.
    static readonly KeyValuePair<string, string> LargeBatches = new("batch.size", "131072");

    static readonly TimeSpan TroubleLogInterval = TimeSpan.FromSeconds(10);

    readonly World _world;
    readonly LoadGeneratorOptions _options;
    readonly RandomSource _random;
    readonly EventComposer _composer;
    readonly EventProducer _producer;
    readonly WindowLedger _ledger;
    readonly Lock _ledgerLock;
    readonly InFlightEvents _inFlight = new();
    readonly EventTracing _tracing;
    readonly KafkaClientMetrics _clientMetrics;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly double _specialShare;
    long? _troubleLogged;
    (byte[] Key, byte[] Value, InFlightEvent Event)? _waiting;
    long _sentSincePoll;

    public LoadSender(
        World world, LoadGeneratorOptions options, EventIds ids, string bootstrapServers, IReadOnlyDictionary<string, string> security, WindowLedger ledger,
        Lock ledgerLock, TimeProvider time, KafkaClientMetrics clientMetrics, ILogger logger)
    {
        (_world, _options, _ledger, _ledgerLock, _time, _clientMetrics, _logger) = (world, options, ledger, ledgerLock, time, clientMetrics, logger);
        _tracing = new(options.TracesPerSecond);
        _random = new(options.Seed);
        _composer = new(ids, _random, options.TraceShare);
        _specialShare = options.InvalidShare + options.LateShare + options.BeyondHorizonShare + options.DuplicateShare;
        foreach (var series in world.Series) series.LedgerMetric = ledger.Metric(series.ServiceId, series.MetricName);
        _producer = new(Contracts.Topics.Events, ProducerSettings.Create(bootstrapServers, [LargeBatches, KafkaClientMetrics.Interval, .. security, .. options.Kafka]), this);
    }

    /// <summary>Whether every event that was made is acknowledged.</summary>
    public bool IsIdle => _inFlight.IsEmpty && _waiting is null;

    public long InFlight => _inFlight.Count;

    /// <summary>When the oldest event on its way was created. Under the ledger's lock.</summary>
    public long? OldestInFlight => _inFlight.OldestCreated;

    /// <summary>Makes and sends events whose creation is spread evenly over a span of time.</summary>
    /// <param name="count">How many.</param>
    /// <param name="from">ms since the epoch, where the span begins.</param>
    /// <param name="to">Where it ends.</param>
    /// <returns>How many were sent; fewer when Kafka pushes back.</returns>
    public int Send(int count, long from, long to)
    {
        for (var i = 0; i < count; i++)
        {
            if (!TrySendOne(from + (to - from) * (i + 1) / count)) return i;
        }

        return count;
    }

    /// <summary>Sends what was pushed back; it goes before anything new, for an event that was made is sent. False when it is again.</summary>
    public bool SendWaiting()
    {
        if (_waiting is not { } waiting) return true;
        if (!TryHandOver(waiting.Key, waiting.Value, waiting.Event)) return false;
        _waiting = null;
        return true;
    }

    /// <summary>Enters what was sent and acknowledged since the last call.</summary>
    /// <returns>How many events that was.</returns>
    public (long Sent, long Acknowledged) Poll()
    {
        lock (_ledgerLock)
        {
            var (sent, before) = (_sentSincePoll, _ledger.Counts.Acknowledged);
            _sentSincePoll = 0;
            _ledger.Counts.Sent += sent;
            _producer.Poll(TimeSpan.Zero);
            return (sent, _ledger.Counts.Acknowledged - before);
        }
    }

    public void Dispose() => _producer.Dispose();

    void IEventProducerObserver.Delivered(in Delivery delivery)
    {
        var completed = _inFlight.Complete(delivery.Id);
        _tracing.Delivered(delivery);
        if (!delivery.IsAcknowledged)
            throw new EventLostException($"Kafka gave up an event: {EventProducer.Describe(delivery.ErrorCode)}. The ledger would no longer be true.");
        _ledger.Acknowledged(completed.Kind, completed.Metric, completed.Timestamp, completed.Value, delivery.Partition, delivery.Offset);
    }

    void IEventProducerObserver.Trouble(int code, string reason)
    {
        // While brokers are away librdkafka reports each attempt to reach one.
        if (_troubleLogged is { } last && _time.GetElapsedTime(last) < TroubleLogInterval) return;
        _troubleLogged = _time.GetTimestamp();
        Log.Trouble(_logger, reason);
    }

    void IEventProducerObserver.Log(int severity, string text) => Log.Kafka(_logger, text);

    void IEventProducerObserver.Statistics(string json) => _clientMetrics.Statistics(json);

    bool TrySendOne(long now)
    {
        if (!SendWaiting()) return false;
        var series = _world.Series[_world.Choice.Next(_random)];
        var thousandths = series.Values.Next(_random);
        if (_specialShare > 0 && _random.NextDouble() is var chance && chance < _specialShare) return SendSpecial(series, thousandths, now, chance);
        if (_tracing.IsDue(now) && _tracing.Start(series.ServiceId, now) is { } span) return SendTraced(series, thousandths, now, span);
        return Offer(series, _composer.Compose(series, EventKind.Valid, now, thousandths), EventKind.Valid, now, thousandths, now);
    }

    bool SendTraced(SimulatedSeries series, long thousandths, long now, Activity span)
    {
        var id = _inFlight.NextNumber;
        if (!Offer(series, _composer.Compose(series, now, thousandths, span), EventKind.Valid, now, thousandths, now, EventTracing.Context(span)))
        {
            // It goes later and without its header: its trace ends here.
            span.Dispose();
            return false;
        }

        _tracing.Sent(id, span);
        return true;
    }

    bool SendSpecial(SimulatedSeries series, long thousandths, long now, double chance)
    {
        if ((chance -= _options.InvalidShare) < 0)
            return Offer(series, _composer.ComposeInvalid(series, now, thousandths), EventKind.Invalid, now, thousandths, now);
        var horizon = _options.CorrectionHorizon.TotalMilliseconds;
        var margin = LoadGeneratorOptions.HorizonMargin.TotalMilliseconds;
        if ((chance -= _options.LateShare) < 0)
        {
            var time = now - (long)_random.Between(LoadGeneratorOptions.MinLateness.TotalMilliseconds, horizon - margin);
            return Offer(series, _composer.Compose(series, EventKind.Corrected, time, thousandths), EventKind.Corrected, time, thousandths, now);
        }

        if ((chance -= _options.BeyondHorizonShare) < 0)
        {
            var time = now - (long)_random.Between(horizon + margin, 2 * horizon);
            return Offer(series, _composer.Compose(series, EventKind.BeyondHorizon, time, thousandths), EventKind.BeyondHorizon, time, thousandths, now);
        }

        return Offer(series, _composer.Compose(series, EventKind.Valid, now, thousandths), EventKind.Valid, now, thousandths, now)
            && Offer(series, _composer.ComposeSecondAttempt(), EventKind.Duplicate, now, thousandths, now);
    }

    /// <summary>Hands an event over; one that Kafka has no room for is kept and goes first next time. False then.</summary>
    bool Offer(
        SimulatedSeries series, ReadOnlySpan<byte> json, EventKind kind, long timestamp, long thousandths, long now, ReadOnlySpan<byte> traceParent = default)
    {
        var made = new InFlightEvent
        {
            Timestamp = timestamp, Value = thousandths / ValueModel.PerUnit, Created = now, Metric = series.LedgerMetric, Kind = kind,
        };
        if (TryHandOver(series.Key, json, made, traceParent)) return true;
        _waiting = (series.Key, json.ToArray(), made);
        return false;
    }

    bool TryHandOver(ReadOnlySpan<byte> key, ReadOnlySpan<byte> json, in InFlightEvent made, ReadOnlySpan<byte> traceParent = default)
    {
        if (_inFlight.IsFull) return false;
        var error = traceParent.IsEmpty
            ? _producer.Send(key, json, _inFlight.NextNumber)
            : _producer.SendWithHeader(key, json, _inFlight.NextNumber, EventTracing.Header, traceParent);
        if (error == EventProducer.QueueFull) return false;
        if (error != 0) throw new EventProducerException($"Kafka does not take an event: {EventProducer.Describe(error)}");
        _inFlight.Add(made);
        _sentSincePoll++;
        return true;
    }
}
