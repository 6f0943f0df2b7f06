using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// Metrics of the aggregator; names as in the contract. Recorded per batch or commit, never per event. Safe for all threads.
/// </summary>
public sealed class AggregatorMetrics : IDisposable
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string SourceName = "StreamMetrics.Aggregator";

    static readonly double[] Seconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    readonly Meter _meter;
    readonly Histogram<double> _processing;
    readonly Histogram<double> _commit;
    readonly Histogram<double> _restore;
    readonly Histogram<double> _endToEnd;
    readonly Counter<long> _errors;
    readonly Counter<long> _deadLetters;
    readonly Counter<long> _events;
    readonly Counter<long> _aggregates;
    readonly Counter<long> _late;
    readonly Counter<long> _misrouted;
    readonly Counter<long> _overflowed;
    readonly Counter<long> _commits;
    readonly Histogram<double> _liveInterval;
    readonly Counter<long> _liveWrites;
    readonly Counter<long> _liveFailures;
    readonly ConcurrentDictionary<int, PartitionStatus> _partitions = new();
    readonly ConcurrentDictionary<int, long> _ends = new();
    readonly ConcurrentDictionary<string, KafkaStatistics> _clients = new();

    /// <summary>Creates the instruments.</summary>
    /// <param name="factory">Where the meter lives.</param>
    public AggregatorMetrics(IMeterFactory factory)
    {
        _meter = factory.Create(SourceName);
        _processing = Durations("processing.duration", "Time to process one batch of records.");
        _commit = Durations("streammetrics.commit.duration", "Time from the start of a commit to its acknowledgement.");
        _restore = Durations("streammetrics.restore.duration", "Time to bring a partition back from the state topic.");
        _endToEnd = Durations("streammetrics.e2e.latency", "Log time of the newest event of a commit to the acknowledgement of the commit.");
        _errors = _meter.CreateCounter<long>("processing.errors", "{error}", "Failures while processing, by what happened next.");
        _deadLetters = _meter.CreateCounter<long>("dlq.messages.sent", "{message}", "Events sent to the dead letter topic, committed.");
        _events = _meter.CreateCounter<long>("streammetrics.events.processed", "{event}", "Events processed.");
        _aggregates = _meter.CreateCounter<long>("streammetrics.aggregates.emitted", "{aggregate}", "Final aggregates and corrections, committed.");
        _late = _meter.CreateCounter<long>("streammetrics.events.late", "{event}", "Late events, corrected or beyond the horizon.");
        _misrouted = _meter.CreateCounter<long>("streammetrics.events.misrouted", "{event}", "Events that lay in another partition than their serviceId's.");
        _overflowed = _meter.CreateCounter<long>("streammetrics.events.overflowed", "{event}", "Events folded into an overflow series.");
        _commits = _meter.CreateCounter<long>("streammetrics.commits", "{commit}", "Commits acknowledged.");
        _liveInterval = Durations("streammetrics.live.interval", "Time between two writes of a series to the live store; grows when the limit of calls stretches it.");
        _liveWrites = _meter.CreateCounter<long>("streammetrics.live.writes", "{call}", "Series written to the live store.");
        _liveFailures = _meter.CreateCounter<long>("streammetrics.live.failures", "{attempt}", "Attempts to reach the live store that failed.");
        Gauges();
    }

    /// <summary>A batch was processed.</summary>
    /// <param name="duration">Time it took.</param>
    public void BatchProcessed(TimeSpan duration) => _processing.Record(duration.TotalSeconds);

    /// <summary>A commit was acknowledged.</summary>
    /// <param name="partition">Input partition.</param>
    /// <param name="duration">Time it took.</param>
    /// <param name="latency">Age of its newest event.</param>
    /// <param name="aggregates">Aggregates in it.</param>
    /// <param name="deadLetters">Dead letters in it.</param>
    public void Committed(int partition, TimeSpan duration, TimeSpan latency, int aggregates, int deadLetters)
    {
        var tag = Partition(partition);
        _commit.Record(duration.TotalSeconds, tag);
        _endToEnd.Record(Math.Max(0, latency.TotalSeconds), tag);
        _commits.Add(1, tag);
        if (aggregates > 0) _aggregates.Add(aggregates, tag);
        _deadLetters.Add(deadLetters, tag); // a zero as well: it shows that there were none
    }

    /// <summary>A partition was restored.</summary>
    /// <param name="partition">Input partition.</param>
    /// <param name="duration">Time it took.</param>
    public void Restored(int partition, TimeSpan duration) => _restore.Record(duration.TotalSeconds, Partition(partition));

    /// <summary>Something failed and was dealt with.</summary>
    /// <param name="next">What happened next: <c>lost</c>, <c>restore</c>, <c>dead-letter</c>.</param>
    public void Failed(string next) => _errors.Add(1, new KeyValuePair<string, object?>("next", next));

    /// <summary>New figures of a partition; taken about once a second.</summary>
    /// <param name="status">Its state.</param>
    /// <param name="end">End of its log as far as known.</param>
    /// <param name="counted">Growth of the engine's counters since the last call.</param>
    public void Report(PartitionStatus status, long end, in EngineTotals counted)
    {
        _partitions[status.Partition] = status;
        _ends[status.Partition] = end;
        var tag = Partition(status.Partition);
        if (counted.Events > 0) _events.Add(counted.Events, tag);
        _late.Add(counted.Late, tag);
        _errors.Add(0, new KeyValuePair<string, object?>("next", "retry"));
        if (counted.Misrouted > 0) _misrouted.Add(counted.Misrouted, tag);
        if (counted.Overflowed > 0) _overflowed.Add(counted.Overflowed, tag);
    }

    /// <summary>The partition is not ours any more.</summary>
    /// <param name="partition">Input partition.</param>
    public void Forget(int partition)
    {
        _partitions.TryRemove(partition, out _);
        _ends.TryRemove(partition, out _);
    }

    /// <summary>A series was written to the live store again.</summary>
    /// <param name="interval">Time since the last write.</param>
    /// <param name="watched">Whether somebody watches it.</param>
    public void LiveInterval(TimeSpan interval, bool watched) => _liveInterval.Record(interval.TotalSeconds, new KeyValuePair<string, object?>("watched", watched));

    /// <summary>Series have reached the live store.</summary>
    /// <param name="count">How many.</param>
    public void LiveWritten(int count) => _liveWrites.Add(count);

    /// <summary>The live store did not answer.</summary>
    public void LiveFailed() => _liveFailures.Add(1);

    /// <summary>Statistics of a consumer, as librdkafka gives them.</summary>
    /// <param name="json">STATISTICS.md of librdkafka describes it.</param>
    public void ConsumerStatistics(string json) => Keep(KafkaStatistics.Parse(json));

    /// <summary>Statistics of a producer.</summary>
    /// <param name="json">STATISTICS.md of librdkafka describes it.</param>
    public void ProducerStatistics(string json) => Keep(KafkaStatistics.Parse(json));

    /// <summary>Ends the meter.</summary>
    public void Dispose() => _meter.Dispose();

    void Keep(KafkaStatistics now)
    {
        _clients.TryGetValue(now.Client, out var before); // the client of a partition is made anew now and then, under the same id
        _clients[now.Client] = now.Since(before);
    }

    void Gauges()
    {
        PerPartition("streammetrics.lag", "{event}", "Events between position and end of the log.", (s, end) => Math.Max(0, end - s.Position));
        PerPartition("streammetrics.watermark.delay", "ms", "Wall-clock time of the last report minus the watermark.", (s, _) => Math.Max(0, s.Time - s.Watermark));
        PerPartition("streammetrics.windows.open", "{window}", "Windows that are not final, over all series.", (s, _) => s.OpenWindows);
        PerPartition("streammetrics.series", "{series}", "Series alive.", (s, _) => s.Series);
        PerClient("kafka.producer.record-send-rate", "{record}/s", "Records acknowledged per second.", c => c.IsProducer, c => c.RecordsPerSecond);
        PerClient("kafka.producer.record-error-rate", "{error}/s", "Send requests that failed per second.", c => c.IsProducer, c => c.ErrorsPerSecond);
        PerClient("kafka.producer.request-latency-avg", "ms", "Mean round trip to the brokers.", c => c.IsProducer, c => c.LatencyMs);
        PerClient("kafka.consumer.records-consumed-rate", "{record}/s", "Records received per second.", c => !c.IsProducer, c => c.RecordsPerSecond);
        PerClient("kafka.consumer.fetch-latency-avg", "ms", "Mean round trip to the brokers, waiting for data included.", c => !c.IsProducer, c => c.LatencyMs);
        _meter.CreateObservableGauge("kafka.consumer.commit-latency-avg", CommitLatencies, "ms", "Duration of the last commit of each partition.");
    }

    IEnumerable<Measurement<double>> CommitLatencies() => _partitions.Values.Select(s => new Measurement<double>(s.CommitMs, Partition(s.Partition)));

    void PerPartition(string name, string unit, string description, Func<PartitionStatus, long, long> value) =>
        _meter.CreateObservableGauge(
            name,
            () => _partitions.Values.Select(s => new Measurement<long>(value(s, _ends.GetValueOrDefault(s.Partition, s.Position)), Partition(s.Partition))),
            unit,
            description);

    void PerClient(string name, string unit, string description, Func<KafkaStatistics, bool> mine, Func<KafkaStatistics, double> value) =>
        _meter.CreateObservableGauge(
            name,
            () => _clients.Values.Where(mine).Select(c => new Measurement<double>(value(c), new KeyValuePair<string, object?>("client", c.Client))),
            unit,
            description);

    Histogram<double> Durations(string name, string description) =>
        _meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = Seconds });

    static KeyValuePair<string, object?> Partition(int partition) => new("partition", partition);
}

/// <summary>Counters of an engine, or how much they grew.</summary>
/// <param name="Events">Events processed.</param>
/// <param name="Late">Late events.</param>
/// <param name="Misrouted">Events in a foreign partition.</param>
/// <param name="Overflowed">Events folded into an overflow series.</param>
public readonly record struct EngineTotals(long Events, long Late, long Misrouted, long Overflowed)
{
    /// <summary>The growth since earlier totals of the same engine.</summary>
    /// <param name="before">Earlier totals.</param>
    public EngineTotals Since(in EngineTotals before) =>
        new(Events - before.Events, Late - before.Late, Misrouted - before.Misrouted, Overflowed - before.Overflowed);
}
