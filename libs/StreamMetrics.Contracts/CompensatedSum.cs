namespace StreamMetrics.Contracts;

/// <summary>
/// A running sum whose error does not grow with the number of terms (A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
/// Summen", ZAMM 54, 1974). The default value is an empty sum. Terms must be finite.
/// </summary>
/// <param name="sum">The plain sum so far.</param>
/// <param name="compensation">What rounding has taken from it.</param>
public struct CompensatedSum(double sum, double compensation)
{
    /// <summary>The plain sum so far, to be kept with <see cref="Compensation"/>.</summary>
    public double Sum { get; private set; } = sum;

    /// <summary>What rounding has taken from <see cref="Sum"/>.</summary>
    public double Compensation { get; private set; } = compensation;

    /// <summary>The sum; one beyond the numbers there are is the largest of them, so that it stays a JSON number.</summary>
    public readonly double Value
    {
        get
        {
            var value = Sum + Compensation;
            return double.IsFinite(value) ? value : double.IsFinite(Sum) ? Sum : double.CopySign(double.MaxValue, Sum);
        }
    }

    /// <summary>Adds a term.</summary>
    /// <param name="term">The term; finite.</param>
    public void Add(double term)
    {
        var next = Sum + term;
        Compensation += Math.Abs(Sum) >= Math.Abs(term) ? Sum - next + term : term - next + Sum;
        Sum = next;
    }
}
