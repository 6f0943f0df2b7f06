using System.Globalization;
using System.Runtime.CompilerServices;
using StreamMetrics.Contracts;
using StreamMetrics.Contracts.Events;

namespace StreamMetrics.Streams;

/// <summary>What <see cref="PartitionEngine.CompleteRestore"/> found.</summary>
/// <param name="HasMeta">False when the state topic held nothing for the partition: it starts at the beginning.</param>
/// <param name="Position">Next input offset; must equal the committed one.</param>
/// <param name="Watermark">Largest log time seen, ms since the epoch.</param>
/// <param name="Records">State records read.</param>
public readonly record struct RestoreResult(bool HasMeta, long Position, long Watermark, long Records);

/// <summary>
/// The stream engine of one input partition: a pure function of its log. The same records give the same bytes whatever the batch sizes,
/// commit times, crashes and restores. No threads, no clock, no Kafka: one owner thread calls everything.
/// <para>
/// An event is added once, to the pane (10 s of event time) of its series and of its total. When the watermark, the largest log time seen,
/// passes a pane's end + grace, the pane is merged into the tumbling windows that contain it; when it passes a window's end + grace, the
/// window is final. An event that comes later than that goes straight into the windows that are still open and, for those that are not,
/// into corrections, which are emitted at the next pane boundary of log time. All of this happens while a record is processed, so that
/// nothing depends on when commits are made.
/// </para>
/// </summary>
public sealed partial class PartitionEngine
{
    // Everything below is touched by the owner thread only.
    readonly TimeGrid _time;
    readonly SeriesRegistry _registry;
    readonly SeriesCache _cache = new();
    long _position;
    long _watermark;

    /// <summary>Makes an engine without state.</summary>
    /// <param name="partition">Input partition, ≥ 0.</param>
    /// <param name="options">Options; not to be changed afterwards.</param>
    /// <exception cref="ArgumentException">The options are not valid (<see cref="EngineOptions.Validate"/>).</exception>
    public PartitionEngine(int partition, EngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var errors = options.Validate("Engine");
        if (errors.Count > 0) throw new ArgumentException(string.Join(' ', errors), nameof(options));
        Partition = partition;
        Options = options;
        _time = new(options);
        _registry = new(partition, options, Statistics);
        _panes = new CellTable?[_time.PaneSlots];
        _windows = [.. _time.Windows.Select(w => new CellTable?[w.Slots])];
        _writer = new(partition);
        _reader = _readers[0];
    }

    /// <summary>Input partition.</summary>
    public int Partition { get; }

    /// <summary>The options.</summary>
    public EngineOptions Options { get; }

    /// <summary>Offset of the next input record: that of the last one processed plus 1; 0 at first.</summary>
    public long Position => _position;

    /// <summary>Largest log time seen, ms since the epoch; 0 at first.</summary>
    public long Watermark => _watermark;

    /// <summary>True when a record was processed since the last commit.</summary>
    public bool HasChanges { get; private set; }

    /// <summary>True when finals or corrections are ready: commit at once.</summary>
    public bool HasFinals => _pending.Count > 0;

    /// <summary>True when dead letters or late records wait: commit within 100 ms.</summary>
    public bool HasUrgent => _rejected.Count > 0;

    /// <summary>
    /// Watermark at which the next final or correction is due: the smallest e + grace over open windows that hold events, or the next pane
    /// boundary when a correction is pending; null when there is neither. The idle clock record is to be stamped at this time or later.
    /// </summary>
    public long? NextFinalTime
    {
        get
        {
            var next = _corrections.Count > 0 ? (_currentPane + 1) * _time.Pane : long.MaxValue;
            if (NextWindow() is { } window) next = Math.Min(next, window.End + _time.Grace);
            return next == long.MaxValue ? null : next;
        }
    }

    /// <summary>Counters since this engine was made.</summary>
    public EngineStatistics Statistics { get; } = new();

    /// <summary>
    /// Processes one record. Bad data never throws: it becomes a dead letter. If this throws all the same (a defect, no memory), the
    /// engine is to be thrown away and restored.
    /// </summary>
    /// <param name="record">The record; its bytes are not kept.</param>
    public void Process(in InputRecord record)
    {
        Advance(record);
        if (record.IsClock)
        {
            Statistics.ClockRecords++;
            return;
        }

        Statistics.Events++;
        if (!_reader.TryRead(record.Value, out var error))
        {
            Refuse(record, error.Reason, error.Message);
            return;
        }

        var hash = _reader.IdentityHash();
        _cache.Prefetch(hash);
        Step();
        ref var entry = ref _cache.Find(_reader, hash);
        var time = _reader.Timestamp;
        var isUsual = entry.Series != null && KnownPane(time) is { } pane && (entry.Pane == pane.Number || FindCells(ref entry, pane))
            && IsInTime(time) && record.Replay == null && !(entry.IsNotNegative && _reader.Value < 0);
        if (isUsual) Start(ref entry, record);
        else ProcessUnusual(ref entry, record, hash);
    }

    /// <summary>Moves the watermark as <see cref="Process"/> does and dead-letters the record unread, for one whose processing failed repeatedly.</summary>
    /// <param name="record">The record.</param>
    /// <param name="reason">Code of <see cref="ReasonCodes"/>.</param>
    /// <param name="message">The reason in words.</param>
    public void Reject(in InputRecord record, string reason, string message)
    {
        Advance(record);
        Statistics.Events++;
        Refuse(record, reason, message);
    }

    /// <summary>
    /// Moves the watermark without a record, for the end of a bounded input (benchmarks, offline recomputation). Nothing in the log says
    /// so: a replay of the log does not repeat it. A running partition gets a clock record instead.
    /// </summary>
    /// <param name="logTime">New watermark, ms since the epoch; smaller ones change nothing.</param>
    public void MoveClock(long logTime)
    {
        FinishStarted();
        HasChanges = true;
        MoveWatermark(logTime, _position - 1);
    }

    /// <summary>Finds a series that is alive, to set <see cref="LiveSeries.Watched"/>.</summary>
    /// <param name="serviceId">The service.</param>
    /// <param name="metricName">The metric.</param>
    /// <param name="tagsHash">Tags hash; empty for the total.</param>
    public LiveSeries? Find(string serviceId, string metricName, string tagsHash) => _registry.Find(serviceId, metricName, tagsHash);

    void Advance(in InputRecord record)
    {
        _position = record.Offset + 1;
        HasChanges = true;
        if (record.LogTime > _watermark) MoveWatermark(record.LogTime, record.Offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    bool IsInTime(long time) => time <= _watermark + _time.MaxFuture && _watermark - time <= _time.Horizon;

    // Another pane than the event before, an identity whose bytes are not in the table, or something to refuse.
    [MethodImpl(MethodImplOptions.NoInlining)]
    void ProcessUnusual(ref SeriesCache.Entry entry, in InputRecord record, ulong hash)
    {
        FinishStarted();
        if (entry.Series is not { IsAlive: true } series)
        {
            ProcessUnknown(record, hash);
            return;
        }

        if (entry.IsNotNegative && _reader.Value < 0)
        {
            RefuseNegative(record);
            return;
        }

        if (IsAccepted(record, series.ServiceId)) Count(series, entry.IsError, record);
    }

    // The cells of a known series in an open pane, if it has any there.
    static bool FindCells(ref SeriesCache.Entry entry, CellTable pane)
    {
        if (entry.Series is not { IsAlive: true, Total: { } total } series) return false;
        if (pane.Find(series.Id) is not { } cell || pane.Find(total.Id) is not { } totalCell) return false;
        (entry.Pane, entry.Table, entry.Cell, entry.TotalCell) = (pane.Number, pane, cell, totalCell);
        (entry.Id, entry.TotalId) = (series.Id, total.Id);
        return true;
    }

    void ProcessUnknown(in InputRecord record, ulong hash)
    {
        if (!EventIdentity.TryCreate(_reader, out var identity, out var error) || (error = identity.CheckValue(_reader.Value)) != null)
        {
            Refuse(record, error.Reason, error.Message);
            return;
        }

        // An event that counts nowhere makes no series.
        if (!IsAccepted(record, identity.ServiceId)) return;
        var series = _registry.Resolve(identity);
        // Overflow depends on how many series there are, not on the bytes alone.
        if (!series.IsOverflow) _cache.Set(_reader, hash, series, identity);
        Count(series, identity.IsError, record);
    }

    // The rules of time and of replays; false when the event counts in no window.
    bool IsAccepted(in InputRecord record, string serviceId)
    {
        var time = _reader.Timestamp;
        if (time > _watermark + _time.MaxFuture)
        {
            Refuse(record, ReasonCodes.FutureTimestamp, TimeMessage(time, time - _watermark, "ahead of", _time.MaxFuture));
            return false;
        }

        if (record.Replay is { } replay) return IsFirstReplay(replay);
        var age = _watermark - time;
        if (age > _time.MaxAge)
        {
            Refuse(record, ReasonCodes.TooOld, TimeMessage(time, age, "behind", _time.MaxAge));
            return false;
        }

        if (age <= _time.Horizon) return true;
        PutAside(record, serviceId, TimeMessage(time, age, "behind", _time.Horizon));
        return false;
    }

    static string TimeMessage(long time, long distance, string where, long limit) => string.Create(
        CultureInfo.InvariantCulture,
        $"timestamp is {time}: {distance / 1000.0:0.###} s {where} the log time; at most {limit / 1000.0:0.###} s are allowed");

    void RefuseNegative(in InputRecord record)
    {
        var value = _reader.Value.ToString("R", CultureInfo.InvariantCulture);
        Refuse(record, ReasonCodes.InvalidField, new EventError(ReasonCodes.InvalidField, "value", value, EventRules.NotNegative).Message);
    }
}
