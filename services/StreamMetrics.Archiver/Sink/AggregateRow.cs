using StreamMetrics.Contracts;
using StreamMetrics.Sketches;

namespace StreamMetrics.Archiver.Sink;

/// <summary>What identifies a row: (series or total, window, start).</summary>
readonly record struct RowKey(string ServiceId, string MetricName, string Window, long Start, string TagsHash);

/// <summary>
/// One row of <c>metric_aggregates</c>: the merge of every final and correction of a window. Merging is exact for counts and sketches, in
/// whatever order the aggregates come; <see cref="Revision"/> counts them.
/// </summary>
/// <remarks>
/// An aggregate is known by its input partition and <c>asOfOffset</c>, which grows with every aggregate of a window and partition. So the
/// row remembers the largest one per partition (<see cref="Applied"/>) and skips what is not larger: an aggregator that is set to
/// at-least-once and emits an aggregate a second time after a crash does not count twice.
/// </remarks>
sealed class AggregateRow
{
    readonly SortedDictionary<int, long> _applied;
    CompensatedSum _sum;
    ExponentialHistogram? _sketch;
    byte[]? _sketchBytes;

    AggregateRow(RowKey key, SortedDictionary<int, long> applied)
    {
        Key = key;
        _applied = applied;
    }

    public RowKey Key { get; }

    public AggregateScope Scope { get; private init; }

    public string MetricType { get; private init; } = "";

    public string Unit { get; private init; } = "";

    public IReadOnlyDictionary<string, string> Tags { get; private init; } = EmptyTags.Instance;

    public long End { get; private init; }

    public long Count { get; private set; }

    public double Sum => _sum.Value;

    public long Errors { get; private set; }

    public long Late { get; private set; }

    public double Last { get; private set; }

    public long LastTime { get; private set; }

    public Exemplar? Exemplar { get; private set; }

    /// <summary>What the service catalog said last; null when it said nothing.</summary>
    public IReadOnlyDictionary<string, string>? Catalog { get; private set; }

    /// <summary>Number of aggregates merged.</summary>
    public long Revision { get; private set; }

    /// <summary>The largest <c>asOfOffset</c> merged, by input partition.</summary>
    public SortedDictionary<int, long> Applied => _applied;

    /// <summary>The sketch's encoding.</summary>
    public byte[] SketchBytes => _sketchBytes ??= _sketch!.ToArray();

    /// <summary>The merged sketch.</summary>
    public ExponentialHistogram Sketch => _sketch ??= ExponentialHistogram.Read(_sketchBytes);

    /// <summary>A row that starts with an aggregate.</summary>
    public static AggregateRow From(Aggregate aggregate, string tagsHash) => new(KeyOf(aggregate, tagsHash), new() { [aggregate.Partition] = aggregate.AsOfOffset })
    {
        Scope = aggregate.Scope,
        MetricType = aggregate.MetricType,
        Unit = aggregate.Unit,
        Tags = aggregate.Tags,
        End = aggregate.End,
        Count = aggregate.Count,
        _sum = new(aggregate.Sum, 0),
        Errors = aggregate.Errors,
        Late = aggregate.Late,
        Last = aggregate.Last,
        LastTime = aggregate.LastTime,
        Exemplar = aggregate.Exemplar,
        Catalog = aggregate.Catalog,
        Revision = 1,
        _sketchBytes = aggregate.Sketch,
    };

    /// <summary>A row as the database has it.</summary>
    public static AggregateRow Stored(
        RowKey key, long end, AggregateScope scope, string metricType, string unit, IReadOnlyDictionary<string, string> tags, long count, double sum, long errors,
        long late, double last, long lastTime, Exemplar? exemplar, IReadOnlyDictionary<string, string>? catalog, long revision, byte[] sketch, SortedDictionary<int, long> applied) =>
        new(key, applied)
        {
            Scope = scope,
            MetricType = metricType,
            Unit = unit,
            Tags = tags,
            End = end,
            Count = count,
            _sum = new(sum, 0),
            Errors = errors,
            Late = late,
            Last = last,
            LastTime = lastTime,
            Exemplar = exemplar,
            Catalog = catalog,
            Revision = revision,
            _sketchBytes = sketch,
        };

    /// <summary>The merge of rows of a series that follow each other in time.</summary>
    public static AggregateRow RollUp(string window, long start, long end, IReadOnlyList<AggregateRow> rows)
    {
        var first = rows[0];
        var total = new AggregateRow(first.Key with { Window = window, Start = start }, [])
        {
            Scope = first.Scope,
            MetricType = first.MetricType,
            Unit = first.Unit,
            Tags = first.Tags,
            End = end,
            Last = first.Last,
            LastTime = first.LastTime,
            Catalog = rows[^1].Catalog,
            _sketch = new(),
        };
        foreach (var row in rows) total.Accumulate(row.Count, row.Sum, row.Errors, row.Late, row.Last, row.LastTime, row.Exemplar, row.Sketch, row.Revision);
        return total;
    }

    /// <summary>The key of an aggregate's row.</summary>
    public static RowKey KeyOf(Aggregate aggregate, string tagsHash) =>
        new(aggregate.ServiceId, aggregate.MetricName, aggregate.Window, aggregate.Start, tagsHash);

    /// <summary>Merges an aggregate of the same window.</summary>
    /// <returns>False when the row had it already.</returns>
    public bool Merge(Aggregate aggregate)
    {
        if (_applied.TryGetValue(aggregate.Partition, out var applied) && aggregate.AsOfOffset <= applied) return false;
        _applied[aggregate.Partition] = aggregate.AsOfOffset;
        Catalog = aggregate.Catalog ?? Catalog;
        Accumulate(
            aggregate.Count, aggregate.Sum, aggregate.Errors, aggregate.Late, aggregate.Last, aggregate.LastTime, aggregate.Exemplar,
            ExponentialHistogram.Read(aggregate.Sketch), revisions: 1);
        return true;
    }

    void Accumulate(
        long count, double sum, long errors, long late, double last, long lastTime, Exemplar? exemplar, ExponentialHistogram sketch, long revisions)
    {
        Count += count;
        _sum.Add(sum);
        Errors += errors;
        Late += late;
        if (lastTime > LastTime || (lastTime == LastTime && last > Last)) (Last, LastTime) = (last, lastTime);
        if (exemplar is not null && (Exemplar is null || exemplar.Value > Exemplar.Value)) Exemplar = exemplar;
        Sketch.MergeFrom(sketch);
        _sketchBytes = null;
        Revision += revisions;
    }

    /// <summary>The row as an aggregate, as the hot store and the APIs have it.</summary>
    public Aggregate ToAggregate()
    {
        var seconds = (End - Key.Start) / 1000.0;
        var newest = _applied.MaxBy(a => a.Value);
        return new()
        {
            ServiceId = Key.ServiceId,
            MetricName = Key.MetricName,
            MetricType = MetricType,
            Unit = Unit,
            Scope = Scope,
            Tags = Tags,
            Window = Key.Window,
            Start = Key.Start,
            End = End,
            Kind = AggregateKind.Final,
            Count = Count,
            Sum = Sum,
            Avg = Sum / Count,
            Min = Sketch.Min,
            Max = Sketch.Max,
            P50 = Sketch.Quantile(0.50),
            P95 = Sketch.Quantile(0.95),
            P99 = Sketch.Quantile(0.99),
            Rate = (MetricType == MetricTypes.Counter ? Sum : Count) / seconds,
            Last = Last,
            LastTime = LastTime,
            Errors = Errors,
            Exemplar = Exemplar,
            MaxRelativeError = Sketch.MaxRelativeError,
            Late = Late,
            Partition = newest.Key,
            AsOfOffset = newest.Value,
            Revision = Revision,
            Sketch = SketchBytes,
        };
    }
}

/// <summary>No tags.</summary>
static class EmptyTags
{
    public static readonly IReadOnlyDictionary<string, string> Instance = new Dictionary<string, string>();
}
