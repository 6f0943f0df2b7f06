using System.Diagnostics.Metrics;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query;

/// <summary>The service's own instruments.</summary>
sealed class QueryMetrics
{
    public const string MeterName = "StreamMetrics.Query";

    readonly Counter<long> _answers;
    readonly Counter<long> _liveValues;
    readonly Counter<long> _coalesced;
    long _hot;
    long _all;

    public QueryMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _answers = meter.CreateCounter<long>("streammetrics.query.answers", "{answer}", "Answers to questions for values, by where they came from.");
        _liveValues = meter.CreateCounter<long>("streammetrics.query.live.values", "{value}", "Live values handed to subscribers.");
        _coalesced = meter.CreateCounter<long>("streammetrics.query.live.coalesced", "{value}", "Live values that a newer one replaced before a slow subscriber took them.");
        meter.CreateObservableGauge("cache.hit.ratio", HitRatio, "1", "Share of the answers that came from Redis alone, since the start.");
    }

    public void Answered(DataSource source)
    {
        Interlocked.Increment(ref _all);
        if (source == DataSource.Hot) Interlocked.Increment(ref _hot);
        _answers.Add(1, new KeyValuePair<string, object?>("source", source switch { DataSource.Hot => "hot", DataSource.Cold => "cold", _ => "mixed" }));
    }

    public void LiveValueTaken() => _liveValues.Add(1);

    public void LiveValueCoalesced() => _coalesced.Add(1);

    IEnumerable<Measurement<double>> HitRatio()
    {
        var all = Interlocked.Read(ref _all);
        return all == 0 ? [] : [new(Interlocked.Read(ref _hot) / (double)all)];
    }
}
