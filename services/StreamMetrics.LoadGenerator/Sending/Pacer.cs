namespace StreamMetrics.LoadGenerator.Sending;

/// <summary>How many events are due: the integral of the rate over time, less what was sent. One thread, but for <see cref="EventsPerSecond"/>.</summary>
sealed class Pacer
{
    // A sender that was held up catches up this much; what lies longer back it has missed.
    static readonly TimeSpan MaxDebt = TimeSpan.FromSeconds(1);
    // Slow rates: the event that is due and the beginning of the next.
    const double LeastDebt = 2;
    const double BurstShare = 0.1;

    readonly TimeProvider _time;
    readonly RateVariation _variation;
    readonly double _amplitude;
    readonly double _periodSeconds;
    long _started;
    long _last;
    double _due;
    double _rate;
    bool _isPaused;

    public Pacer(TimeProvider time, LoadGeneratorOptions options)
    {
        (_time, _variation, _amplitude, _periodSeconds) = (time, options.Variation, options.VariationAmplitude, options.VariationPeriod.TotalSeconds);
        _rate = options.EventsPerSecond;
        Start();
    }

    /// <summary>The mean rate asked for, events/s. Any thread.</summary>
    public double EventsPerSecond
    {
        get => Volatile.Read(ref _rate);
        set => Volatile.Write(ref _rate, value);
    }

    /// <summary>Whether nothing is due until resumed. Any thread.</summary>
    public bool IsPaused
    {
        get => Volatile.Read(ref _isPaused);
        set => Volatile.Write(ref _isPaused, value);
    }

    /// <summary>Events that were due and will never be sent, since the sender could not keep up.</summary>
    public double Missed { get; private set; }

    /// <summary>Forgets the time that has passed.</summary>
    public void Start() => _started = _last = _time.GetTimestamp();

    /// <summary>How many events are to be sent now.</summary>
    public int Due()
    {
        var now = _time.GetTimestamp();
        var elapsed = _time.GetElapsedTime(_last, now).TotalSeconds;
        _last = now;
        if (IsPaused)
        {
            _due = 0;
            return 0;
        }

        var rate = EventsPerSecond * Factor(_time.GetElapsedTime(_started, now).TotalSeconds);
        _due += rate * elapsed;
        var most = Math.Max(LeastDebt, rate * MaxDebt.TotalSeconds);
        if (_due > most)
        {
            Missed += _due - most;
            _due = most;
        }

        return (int)_due;
    }

    /// <summary>Tells how many were sent.</summary>
    public void Sent(int count) => _due -= count;

    // The mean of each over a period is 1.
    double Factor(double seconds) => _variation switch
    {
        RateVariation.Sine => 1 + _amplitude * Math.Sin(2 * Math.PI * seconds / _periodSeconds),
        RateVariation.Bursts => seconds % _periodSeconds < BurstShare * _periodSeconds
            ? 1 + _amplitude * (1 - BurstShare) / BurstShare
            : 1 - _amplitude,
        _ => 1,
    };
}
