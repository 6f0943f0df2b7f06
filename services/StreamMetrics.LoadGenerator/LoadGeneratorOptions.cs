using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace StreamMetrics.LoadGenerator;

/// <summary>How the rate changes; its mean over a period is the configured rate.</summary>
enum RateVariation
{
    /// <summary>Not at all.</summary>
    Steady,

    /// <summary>Up and down like a day's traffic.</summary>
    Sine,

    /// <summary>A tenth of each period at a multiple of the rate, the rest below it.</summary>
    Bursts,
}

/// <summary>The shape of the latencies of one series.</summary>
enum LatencyDistribution
{
    /// <summary>Log-normal: what services mostly show.</summary>
    LogNormal,

    /// <summary>Pareto, index 2.5: a heavy tail.</summary>
    Pareto,

    /// <summary>Log-normal around two values: hits and misses of a cache.</summary>
    Bimodal,
}

/// <summary>Section <c>LoadGenerator</c>.</summary>
sealed class LoadGeneratorOptions
{
    public const string Section = "LoadGenerator";

    /// <summary>Highest rate that can be asked for, events/s.</summary>
    public const double MaxEventsPerSecond = 2_000_000;

    /// <summary>A series count below this times the services would leave a service without one of its metrics.</summary>
    public const int MinSeriesPerService = 10;

    /// <summary>Late events keep this far from the correction horizon, on either side.</summary>
    public static readonly TimeSpan HorizonMargin = TimeSpan.FromMinutes(1);

    /// <summary>Late events that will be corrections are at least this late: every window of theirs is final by then.</summary>
    public static readonly TimeSpan MinLateness = TimeSpan.FromMinutes(16);

    /// <summary>Mean rate, events/s.</summary>
    [Range(0, MaxEventsPerSecond)]
    public double EventsPerSecond { get; set; } = 1_000;

    /// <summary>Simulated services.</summary>
    [Range(1, 1_000)]
    public int Services { get; set; } = 20;

    /// <summary>Series of all services together.</summary>
    [Range(MinSeriesPerService, 1_000_000)]
    public int Series { get; set; } = 1_000;

    public RateVariation Variation { get; set; }

    /// <summary>Share of the rate by which it varies.</summary>
    [Range(0d, 1d)]
    public double VariationAmplitude { get; set; } = 0.5;

    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan VariationPeriod { get; set; } = TimeSpan.FromMinutes(1);

    public LatencyDistribution Latency { get; set; }

    /// <summary>Spread of a log-normal distribution: the standard deviation of the logarithm.</summary>
    [Range(0d, 3d)]
    public double LatencySpread { get; set; } = 0.5;

    /// <summary>Share of measurements that are slow outliers, 5 to 20 times the usual.</summary>
    [Range(0d, 1d)]
    public double SlowShare { get; set; } = 0.01;

    /// <summary>Share of HTTP requests that fail with a status of 500 or more.</summary>
    [Range(0d, 0.5)]
    public double ErrorShare { get; set; } = 0.01;

    /// <summary>Share of events that carry a trace.</summary>
    [Range(0d, 1d)]
    public double TraceShare { get; set; } = 0.1;

    /// <summary>
    /// Events per second that are traced on their way through the system, when somebody receives traces. They take the place of
    /// <see cref="TraceShare"/>, whose traces lead nowhere.
    /// </summary>
    [Range(0d, 1000d)]
    public double TracesPerSecond { get; set; } = 5;

    /// <summary>Share of events that are late, but within the correction horizon.</summary>
    [Range(0d, 0.2)]
    public double LateShare { get; set; }

    /// <summary>Share of events that are late beyond the correction horizon.</summary>
    [Range(0d, 0.2)]
    public double BeyondHorizonShare { get; set; }

    /// <summary>Share of events that break a rule of the contract.</summary>
    [Range(0d, 0.2)]
    public double InvalidShare { get; set; }

    /// <summary>Share of events that are sent a second time, as by a retry.</summary>
    [Range(0d, 0.2)]
    public double DuplicateShare { get; set; }

    /// <summary>The correction horizon of the aggregators.</summary>
    [Range(typeof(TimeSpan), "00:20:00", "1.00:00:00")]
    public TimeSpan CorrectionHorizon { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The same seed gives the same services, series and sequence of values.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>Where the ledger is kept.</summary>
    [Required]
    public string DataDirectory { get; set; } = Path.Combine(".streammetrics", "loadgenerator");

    /// <summary>Settings of librdkafka by their names, over those every producer of the product has.</summary>
    public Dictionary<string, string> Kafka { get; init; } = [];
}

[OptionsValidator]
sealed partial class LoadGeneratorOptionsValidator : IValidateOptions<LoadGeneratorOptions>;

/// <summary>Rules that concern several options.</summary>
sealed class LoadGeneratorOptionsRules : IValidateOptions<LoadGeneratorOptions>
{
    public ValidateOptionsResult Validate(string? name, LoadGeneratorOptions options)
    {
        var least = options.Services * LoadGeneratorOptions.MinSeriesPerService;
        return options.Series >= least
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"{LoadGeneratorOptions.Section}:{nameof(options.Series)} is {options.Series}: {options.Services} services need {least} series or more.");
    }
}
