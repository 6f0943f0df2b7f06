using StreamMetrics.Contracts;

namespace StreamMetrics.Query.Merging;

/// <summary>What a point is of, apart from its values.</summary>
/// <param name="Scope">Total or series.</param>
/// <param name="Tags">What was asked for.</param>
/// <param name="Window">Name of what the point covers.</param>
/// <param name="Start">First instant, ms since the epoch (inclusive).</param>
/// <param name="End">End (exclusive).</param>
/// <param name="IsClosed">Whether nothing but corrections can be added to the span any more.</param>
/// <param name="Percentiles">Percentiles to compute beside the fixed three.</param>
/// <param name="IncludeSketch">Whether the answer carries the sketch.</param>
sealed record PointFrame(
    AggregateScope Scope,
    IReadOnlyDictionary<string, string> Tags,
    string Window,
    long Start,
    long End,
    bool IsClosed,
    IReadOnlyList<double> Percentiles,
    bool IncludeSketch);
