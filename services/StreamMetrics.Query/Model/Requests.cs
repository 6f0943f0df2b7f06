namespace StreamMetrics.Query.Model;

/// <summary>A (service, metric) and which of its series are meant: those that carry all of <paramref name="Tags"/>, or the total when it is empty.</summary>
sealed record SeriesSelector(string ServiceId, string MetricName, IReadOnlyDictionary<string, string> Tags);

/// <summary>Asks for the newest value.</summary>
sealed record CurrentQuery(SeriesSelector Selector, QueryWindow Window, bool IncludeSketch);

/// <summary>Asks for points from <paramref name="From"/> (inclusive, a multiple of the step) to <paramref name="To"/> (exclusive), ms since the epoch.</summary>
sealed record SeriesQuery(
    SeriesSelector Selector,
    QueryWindow Window,
    long From,
    long To,
    long StepMs,
    IReadOnlyList<string> GroupBy,
    IReadOnlyList<double> Percentiles,
    bool IncludeProvisional,
    bool IncludeSketch)
{
    /// <summary>Whether the total is meant and not the series themselves.</summary>
    public bool IsTotal => Selector.Tags.Count == 0 && GroupBy.Count == 0;

    /// <summary>Name of what a point covers: the window's, or the step's when it is longer.</summary>
    public string StepName => StepMs <= Window.SizeMs ? Window.Name : Durations.Format(StepMs);
}

/// <summary>By what <see cref="TopQuery"/> orders.</summary>
enum TopOrder
{
    P99,
    Rate,
    Errors,
}

/// <summary>Asks for the largest current totals.</summary>
sealed record TopQuery(string? MetricName, QueryWindow Window, TopOrder By, int Limit);
