using System.Diagnostics.Metrics;
using StreamMetrics.Contracts;

namespace StreamMetrics.Client.Meters;

/// <summary>How the measurements of an instrument become events.</summary>
enum InstrumentKind
{
    /// <summary>One event per measurement.</summary>
    Histogram,

    /// <summary>The increments of an interval as one event.</summary>
    Counter,

    /// <summary>Reports totals when asked: their increment as one event.</summary>
    ObservableCounter,

    /// <summary>The running total as one event per interval.</summary>
    UpDownCounter,

    /// <summary>The newest value of an interval as one event.</summary>
    Gauge,

    /// <summary>Reports values when asked: one event each.</summary>
    ObservableGauge,
}

/// <summary>
/// Names of OpenTelemetry's semantic conventions and of UCUM units (https://ucum.org) in the terms of an event.
/// </summary>
static class InstrumentMapping
{
    const string UnitSeconds = "seconds";

    /// <summary>What kind of instrument it is; null for a kind that .NET may add one day.</summary>
    public static InstrumentKind? Kind(Instrument instrument)
    {
        var type = instrument.GetType();
        if (!type.IsGenericType) return null;
        var open = type.GetGenericTypeDefinition();
        if (open == typeof(Histogram<>)) return InstrumentKind.Histogram;
        if (open == typeof(Counter<>)) return InstrumentKind.Counter;
        if (open == typeof(ObservableCounter<>)) return InstrumentKind.ObservableCounter;
        if (open == typeof(UpDownCounter<>)) return InstrumentKind.UpDownCounter;
        if (open == typeof(Gauge<>)) return InstrumentKind.Gauge;
        return open == typeof(ObservableGauge<>) || open == typeof(ObservableUpDownCounter<>) ? InstrumentKind.ObservableGauge : null;
    }

    /// <summary>
    /// The event's type. Increments are always COUNTER: only that type's rate is the sum per second. Well-known names decide for the rest.
    /// </summary>
    public static string MetricType(InstrumentKind kind, string name, string unit) => kind switch
    {
        InstrumentKind.Counter or InstrumentKind.ObservableCounter => MetricTypes.Counter,
        InstrumentKind.Histogram => name switch
        {
            "http.server.request.duration" or "http.server.requests" => MetricTypes.HttpRequest,
            _ when Has(name, "db.client.") => MetricTypes.DbQuery,
            _ when Has(name, "messaging.") => MetricTypes.Message,
            _ => Runtime(name) ?? (IsTime(unit) ? MetricTypes.Timer : MetricTypes.Custom),
        },
        _ => Runtime(name) ?? MetricTypes.Gauge,
    };

    /// <summary>The event's unit: words for the common units, the text of an annotation, anything else as it is.</summary>
    public static string Unit(string? unit) => unit switch
    {
        null or "" => "1",
        "ns" => "nanoseconds",
        "us" => "microseconds",
        "ms" => "milliseconds",
        "s" => UnitSeconds,
        "min" => "minutes",
        "h" => "hours",
        "d" => "days",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "kBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "%" => "percent",
        ['{', .. var annotation, '}'] when annotation.Length > 0 => annotation,
        _ => unit,
    };


    static string? Runtime(string name) =>
        Has(name, "jvm.") ? MetricTypes.Jvm : Has(name, "cache.") ? MetricTypes.Cache : null;

    static bool IsTime(string unit) => unit is "nanoseconds" or "microseconds" or "milliseconds" or UnitSeconds or "minutes" or "hours" or "days";

    static bool Has(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal);
}
