namespace StreamMetrics.LoadGenerator.Simulation;

/// <summary>
/// The values of one series, in thousandths: a value is an integer / 1000, so that its text is cheap to write and reads back as exactly that
/// double (a correctly rounded quotient equals the correctly rounded decimal).
/// </summary>
abstract class ValueModel
{
    public const double PerUnit = 1000;

    /// <summary>The next value in thousandths.</summary>
    public abstract long Next(RandomSource random);
}

/// <summary>Durations around a median, with a share of slow outliers.</summary>
sealed class LatencyModel(double median, LoadGeneratorOptions options) : ValueModel
{
    const double ParetoIndex = 2.5;
    const double HitShare = 0.8;
    const double HitFactor = 0.2;

    // The median of a Pareto distribution is scale · 2^(1/index).
    static readonly double ParetoScale = Math.Pow(2, -1 / ParetoIndex);

    readonly LatencyDistribution _distribution = options.Latency;
    readonly double _spread = options.LatencySpread;
    readonly double _slowShare = options.SlowShare;

    public override long Next(RandomSource random)
    {
        var value = median * Shape(random);
        if (random.NextDouble() < _slowShare) value *= random.Between(5, 20);
        return Math.Max(1, (long)(value * PerUnit));
    }

    double Shape(RandomSource random) => _distribution switch
    {
        LatencyDistribution.Pareto => ParetoScale * Math.Pow(1 - random.NextDouble(), -1 / ParetoIndex),
        LatencyDistribution.Bimodal => LogNormal(random) * (random.NextDouble() < HitShare ? HitFactor : 1),
        _ => LogNormal(random),
    };

    double LogNormal(RandomSource random) => Math.Exp(_spread * random.NextNormal());
}

/// <summary>Increments of 1 to 5, mostly 1.</summary>
sealed class IncrementModel : ValueModel
{
    public override long Next(RandomSource random) => random.Next(4) > 0 ? (long)PerUnit : (2 + random.Next(4)) * (long)PerUnit;
}

/// <summary>A whole number that wanders between 0 and a limit.</summary>
sealed class WanderingModel(int limit) : ValueModel
{
    int _now = limit / 2;

    public override long Next(RandomSource random)
    {
        _now = Math.Clamp(_now + random.Next(7) - 3, 0, limit);
        return _now * (long)PerUnit;
    }
}
