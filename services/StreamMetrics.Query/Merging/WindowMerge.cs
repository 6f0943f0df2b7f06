using System.Globalization;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;
using StreamMetrics.Query.Stores;
using StreamMetrics.Sketches;

namespace StreamMetrics.Query.Merging;

/// <summary>
/// Merges stored windows of one metric, of any series and any time, into one point. Counts and sketches merge exactly; percentiles are
/// taken from the merged sketch, never from other percentiles. A point made of one stored window that covers it has that window's own figures.
/// </summary>
/// <param name="scratch">Holds the sketch of a part while it is merged; may serve several merges in turn. Made when needed where none is given.</param>
sealed class WindowMerge(ExponentialHistogram? scratch = null)
{
    StoredWindow? _first;
    StoredWindow? _newest;
    int _parts;
    long _count;
    CompensatedSum _sum;
    double _min = double.PositiveInfinity;
    double _max = double.NegativeInfinity;
    double _last;
    long _lastTime = long.MinValue;
    long _errors;
    long _late;
    long _revisions;
    long? _asOf;
    bool _isFinal = true;
    DataSource? _source;
    Exemplar? _exemplar;
    ExponentialHistogram? _sketch;

    public void Add(StoredWindow part)
    {
        var value = part.Value;
        if (_parts++ == 0) _first = part;
        else MergeSketches(part);
        if (_newest is null || value.Start >= _newest.Value.Start) _newest = part;
        _count += value.Count;
        _sum.Add(value.Sum);
        _min = Math.Min(_min, value.Min);
        _max = Math.Max(_max, value.Max);
        if (value.LastTime > _lastTime || (value.LastTime == _lastTime && value.Last > _last)) (_last, _lastTime) = (value.Last, value.LastTime);
        _errors += value.Errors;
        _late += value.Late;
        _revisions += part.Revision;
        if (part.AsOf > (_asOf ?? long.MinValue)) _asOf = part.AsOf;
        _isFinal &= part.IsFinal;
        _source = _source is null || _source == part.Source ? part.Source : DataSource.Mixed;
        if (value.Exemplar is { } exemplar && (_exemplar is null || exemplar.Value > _exemplar.Value)) _exemplar = exemplar;
    }

    /// <exception cref="FormatException">A stored sketch is unreadable.</exception>
    public AggregateAnswer ToAnswer(PointFrame frame)
    {
        if (_first is null || _newest is null || _source is null) throw new InvalidOperationException("There is nothing to answer with.");
        var isWhole = _parts == 1 && _first.Value.Start == frame.Start && _first.Value.End == frame.End;
        if (!isWhole || frame.Percentiles.Count > 0) _sketch ??= SketchOf(_first);
        var value = isWhole ? _first.Value : Merged(_newest.Value, frame);
        var isFinal = _isFinal && (isWhole || frame.IsClosed);
        return new AggregateAnswer
        {
            ServiceId = value.ServiceId,
            MetricName = value.MetricName,
            MetricType = value.MetricType,
            Unit = value.Unit,
            Scope = frame.Scope,
            Tags = frame.Tags,
            Window = frame.Window,
            Start = frame.Start,
            End = frame.End,
            Kind = isFinal ? AggregateKind.Final : AggregateKind.Provisional,
            Count = value.Count,
            Sum = value.Sum,
            Avg = value.Avg,
            Min = value.Min,
            Max = value.Max,
            P50 = value.P50,
            P95 = value.P95,
            P99 = value.P99,
            Percentiles = Percentiles(frame),
            Rate = value.Rate,
            Last = value.Last,
            LastTime = value.LastTime,
            Errors = value.Errors,
            Exemplar = value.Exemplar,
            MaxRelativeError = value.MaxRelativeError,
            Late = value.Late,
            Partition = value.Partition < 0 ? null : value.Partition,
            AsOfOffset = value.AsOfOffset < 0 ? null : value.AsOfOffset,
            AsOf = _asOf,
            Source = _source.Value,
            Final = isFinal,
            Revision = isFinal ? _revisions : 0,
            Sketch = frame.IncludeSketch ? _sketch?.ToArray() ?? _first.SketchBytes() : null,
        };
    }

    Aggregate Merged(Aggregate like, PointFrame frame)
    {
        var seconds = (frame.End - frame.Start) / 1000.0;
        return like with
        {
            Count = _count,
            Sum = _sum.Value,
            Avg = _sum.Value / _count,
            Min = _min,
            Max = _max,
            P50 = _sketch!.Quantile(0.5),
            P95 = _sketch.Quantile(0.95),
            P99 = _sketch.Quantile(0.99),
            Rate = (like.MetricType == MetricTypes.Counter ? _sum.Value : _count) / seconds,
            Last = _last,
            LastTime = _lastTime,
            Errors = _errors,
            Exemplar = _exemplar,
            MaxRelativeError = _sketch.MaxRelativeError,
            Late = _late,
            Partition = -1,
            AsOfOffset = -1,
        };
    }

    Dictionary<string, double>? Percentiles(PointFrame frame)
    {
        if (frame.Percentiles.Count == 0) return null;
        var values = new Dictionary<string, double>(frame.Percentiles.Count);
        foreach (var p in frame.Percentiles) values[p.ToString(CultureInfo.InvariantCulture)] = _sketch!.Quantile(p / 100);
        return values;
    }

    void MergeSketches(StoredWindow part)
    {
        _sketch ??= SketchOf(_first!);
        scratch ??= new();
        part.ReadSketch(scratch);
        _sketch.MergeFrom(scratch);
    }

    static ExponentialHistogram SketchOf(StoredWindow part)
    {
        var sketch = new ExponentialHistogram();
        part.ReadSketch(sketch);
        return sketch;
    }
}
