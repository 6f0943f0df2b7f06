namespace StreamMetrics.AppHost.Display;

/// <summary>The totals of <c>GET /api/v1/pipeline</c>.</summary>
sealed record PipelineFigures(double? EventsPerSecond, double? AggregatesPerSecond, long? Lag, double? VisibleP99Ms, long? DeadLetters)
{
    public override string ToString() => FormattableString.Invariant(
        $"{EventsPerSecond ?? 0:#,0} events/s in, {AggregatesPerSecond ?? 0:#,0} aggregates/s out, lag {Show(Lag)}, p99 {P99}, dead letters {Show(DeadLetters)}");

    // Nothing is shown rather than a zero where nothing was measured.
    string P99 => VisibleP99Ms is { } ms ? FormattableString.Invariant($"{ms:0.#} ms") : "–";

    static string Show(long? value) => value is { } v ? FormattableString.Invariant($"{v:#,0}") : "–";
}
