using System.Diagnostics;
using System.Diagnostics.Metrics;
using StreamMetrics.Client.Events;

namespace StreamMetrics.Client.Meters;

/// <summary>Takes the measurements of chosen meters. What arrives between two flushes is summed or remembered; a flush writes it.</summary>
sealed class MeterBridge : IDisposable
{
    readonly EventRecorder _recorder;
    readonly MeterListener _listener = new();
    readonly HashSet<string> _names;
    readonly string[] _prefixes;
    readonly Lock _flushing = new();

    public MeterBridge(IEnumerable<string> meters, EventRecorder recorder)
    {
        _recorder = recorder;
        _names = [.. meters];
        _prefixes = [.. _names.Where(n => n.EndsWith('*')).Select(n => n[..^1])];
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (IsChosen(instrument.Meter.Name) && InstrumentMapping.Kind(instrument) is { } kind)
                listener.EnableMeasurementEvents(instrument, new BridgedInstrument(instrument, kind));
        };
        _listener.MeasurementsCompleted = (_, state) => ((BridgedInstrument)state!).IsCompleted = true;
        // One typed callback each: a generic conversion would box every measurement.
        _listener.SetMeasurementEventCallback<byte>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<short>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<float>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, state) => Measured(value, tags, state));
        _listener.SetMeasurementEventCallback<decimal>((_, value, tags, state) => Measured((double)value, tags, state));
        _listener.Start();
    }

    /// <summary>Writes what was summed or remembered and asks the observable instruments. Callbacks of the program may throw.</summary>
    /// <exception cref="AggregateException">A callback of an observable instrument threw; the others were asked nevertheless.</exception>
    public void Flush()
    {
        lock (_flushing)
        {
            try
            {
                _listener.RecordObservableInstruments();
            }
            finally
            {
                foreach (var (key, series) in _recorder.OwnedSeries) Write((BridgedInstrument)key.Owner!, series);
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    void Write(BridgedInstrument instrument, Series series)
    {
        double value;
        var isDue = instrument.Kind switch
        {
            InstrumentKind.Counter or InstrumentKind.ObservableCounter => series.TryTakeDelta(out value),
            InstrumentKind.UpDownCounter when !instrument.IsCompleted => series.TryReadTotal(out value),
            InstrumentKind.Gauge => series.TryTakeLast(out value),
            _ => Never(out value),
        };
        if (isDue) _recorder.Record(series, value, null);
    }

    // Written when they were measured, or the total of an instrument whose meter is gone.
    static bool Never(out double value)
    {
        value = 0;
        return false;
    }

    void Measured(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var instrument = (BridgedInstrument)state!;
        if (!_recorder.TryGetSeries(new(instrument, instrument.Name, instrument.Unit, instrument.Type, tags), value, out var series, out var isKept)) return;
        switch (instrument.Kind)
        {
            case InstrumentKind.Histogram:
                _recorder.Record(series, value, Activity.Current);
                break;
            case InstrumentKind.ObservableGauge:
            // What has no place for its running figures is written at once.
            case InstrumentKind.Counter or InstrumentKind.Gauge when !isKept:
                _recorder.Record(series, value, null);
                break;
            case InstrumentKind.ObservableCounter or InstrumentKind.UpDownCounter when !isKept:
                _recorder.Dropped(DropReason.SeriesLimit);
                break;
            case InstrumentKind.ObservableCounter:
                series.Add(series.Increment(value));
                break;
            case InstrumentKind.Counter or InstrumentKind.UpDownCounter:
                series.Add(value);
                break;
            case InstrumentKind.Gauge:
                series.Set(value);
                break;
        }
    }

    bool IsChosen(string meter) => _names.Contains(meter) || Array.Exists(_prefixes, p => meter.StartsWith(p, StringComparison.Ordinal));

    /// <summary>An instrument in the terms of events.</summary>
    sealed class BridgedInstrument(Instrument instrument, InstrumentKind kind)
    {
        public InstrumentKind Kind { get; } = kind;

        /// <summary>Set when its meter is disposed.</summary>
        public bool IsCompleted { get; set; }

        public string Name { get; } = instrument.Name;

        public string Unit { get; } = InstrumentMapping.Unit(instrument.Unit);

        public string Type { get; } = InstrumentMapping.MetricType(kind, instrument.Name, InstrumentMapping.Unit(instrument.Unit));
    }
}
