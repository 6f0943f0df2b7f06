using StreamMetrics.Contracts;
using StreamMetrics.LoadGenerator.Sending;

namespace StreamMetrics.LoadGenerator.Ledger;

/// <summary>
/// What Kafka acknowledged: count and sum per service, metric and minute of event time, numbers of events by kind, and per partition the
/// offset up to which events of ours are in them. Not for several threads at once: its owner guards it.
/// </summary>
sealed class WindowLedger
{
    public const long WindowMs = 60_000;

    /// <summary>How long a window is kept after it began.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(2);

    // A window and the one that comes Slots minutes later share a place; Kept is well below that.
    const int Slots = 256;

    readonly List<(string ServiceId, string MetricName)> _metrics = [];
    readonly Dictionary<(string, string), int> _numbers = [];
    Cell[] _cells = [];
    long[] _nextOffsets = [];

    public EventCounts Counts { get; set; } = new();

    /// <summary>By partition: own events before this offset are counted, none from it on.</summary>
    public IReadOnlyList<long> NextOffsets => _nextOffsets;

    /// <summary>The number of a metric of a service; gives it one at first sight.</summary>
    public int Metric(string serviceId, string metricName)
    {
        if (_numbers.TryGetValue((serviceId, metricName), out var number)) return number;
        number = _metrics.Count;
        _metrics.Add((serviceId, metricName));
        _numbers.Add((serviceId, metricName), number);
        if (_cells.Length < (number + 1) * Slots) Array.Resize(ref _cells, Math.Max(2 * _cells.Length, (number + 1) * Slots));
        return number;
    }

    public void SetOffsets(IReadOnlyList<long> next) => _nextOffsets = [.. next];

    /// <summary>Counts one acknowledged event.</summary>
    /// <param name="kind">What it was meant to be.</param>
    /// <param name="metric">Number of its metric.</param>
    /// <param name="timestamp">Event time.</param>
    /// <param name="value">Its value.</param>
    /// <param name="partition">Where it is.</param>
    /// <param name="offset">Where it is; negative when Kafka did not say.</param>
    public void Acknowledged(EventKind kind, int metric, long timestamp, double value, int partition, long offset)
    {
        Counts.Acknowledged++;
        switch (kind)
        {
            case EventKind.Valid:
                Add(metric, timestamp, value);
                break;
            case EventKind.Corrected:
                Counts.Corrected++;
                Add(metric, timestamp, value);
                break;
            case EventKind.Invalid:
                Counts.Invalid++;
                break;
            case EventKind.BeyondHorizon:
                Counts.Late++;
                break;
            case EventKind.Duplicate:
                Counts.Duplicate++;
                break;
        }

        if (partition >= 0 && offset >= 0) Seen(partition, offset);
    }

    /// <summary>The windows that begin in [from, to) and are still kept, by service, metric and start.</summary>
    public List<LedgerWindow> Windows(long from, long to, long now)
    {
        var oldest = Math.Max(from, now - (long)Kept.TotalMilliseconds);
        var windows = new List<LedgerWindow>();
        for (var i = 0; i < _metrics.Count * Slots; i++)
        {
            ref var cell = ref _cells[i];
            if (cell.Count == 0 || cell.Start < oldest || cell.Start >= to) continue;
            var (service, metric) = _metrics[i / Slots];
            windows.Add(new(service, metric, cell.Start, cell.Count, cell.Sum.Sum, cell.Sum.Compensation));
        }

        return windows;
    }

    /// <summary>Puts a kept window back.</summary>
    public void Restore(LedgerWindow window)
    {
        ref var cell = ref CellOf(Metric(window.ServiceId, window.MetricName), window.Start);
        cell = new() { Start = window.Start, Count = window.Count, Sum = new(window.RunningSum, window.Compensation) };
    }

    void Seen(int partition, long offset)
    {
        if (partition >= _nextOffsets.Length) Array.Resize(ref _nextOffsets, partition + 1);
        if (offset >= _nextOffsets[partition]) _nextOffsets[partition] = offset + 1;
    }

    void Add(int metric, long timestamp, double value)
    {
        var start = timestamp - timestamp % WindowMs;
        ref var cell = ref CellOf(metric, start);
        // A newer window in its place: this one is older than what is kept.
        if (start < cell.Start) return;
        if (start > cell.Start) cell = new() { Start = start };
        cell.Count++;
        cell.Sum.Add(value);
    }

    ref Cell CellOf(int metric, long start) => ref _cells[metric * Slots + (int)(start / WindowMs % Slots)];

    struct Cell
    {
        public long Start;
        public long Count;
        public CompensatedSum Sum;
    }
}

/// <summary>Numbers of events.</summary>
sealed record EventCounts
{
    /// <summary>Handed to the Kafka client.</summary>
    public long Sent { get; set; }

    /// <summary>Acknowledged by Kafka, of whatever kind.</summary>
    public long Acknowledged { get; set; }

    public long Invalid { get; set; }

    /// <summary>Late within the correction horizon: counted in windows.</summary>
    public long Corrected { get; set; }

    /// <summary>Late beyond the correction horizon.</summary>
    public long Late { get; set; }

    public long Duplicate { get; set; }
}

/// <summary>A window of the ledger.</summary>
/// <param name="ServiceId">The service.</param>
/// <param name="MetricName">The metric.</param>
/// <param name="Start">Its begin, ms since the epoch.</param>
/// <param name="Count">Events.</param>
/// <param name="RunningSum">Sum before compensation.</param>
/// <param name="Compensation">What to add to it.</param>
sealed record LedgerWindow(string ServiceId, string MetricName, long Start, long Count, double RunningSum, double Compensation)
{
    public double Sum => RunningSum + Compensation;
}
