namespace StreamMetrics.Query.Merging;

/// <summary>Neumaier's sum: the error of a sum of n values does not grow with n (Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation").</summary>
struct CompensatedSum
{
    double _sum;
    double _compensation;

    public readonly double Value => _sum + _compensation;

    public void Add(double value)
    {
        var next = _sum + value;
        _compensation += Math.Abs(_sum) >= Math.Abs(value) ? _sum - next + value : value - next + _sum;
        _sum = next;
    }
}
