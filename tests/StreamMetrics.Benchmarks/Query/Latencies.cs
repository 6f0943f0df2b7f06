using System.Globalization;

namespace StreamMetrics.Benchmarks.Query;

/// <summary>Durations of many equal things.</summary>
sealed class Latencies
{
    readonly List<double> _milliseconds = [];

    public int Count => _milliseconds.Count;

    public void Add(double milliseconds) => _milliseconds.Add(milliseconds);

    public void AddRange(Latencies other) => _milliseconds.AddRange(other._milliseconds);

    /// <summary>In a line: number, median, p99 and the longest.</summary>
    public override string ToString()
    {
        _milliseconds.Sort();
        return string.Create(CultureInfo.InvariantCulture, $"{Count} times: p50 {At(0.5):0.00} ms, p99 {At(0.99):0.00} ms, max {At(1):0.00} ms");
    }

    double At(double quantile) => Count == 0 ? double.NaN : _milliseconds[Math.Max(0, (int)Math.Ceiling(quantile * Count) - 1)];
}
