namespace StreamMetrics.LoadGenerator.Ledger;

/// <summary>Neumaier's sum (A. Neumaier, ZAMM 54, 1974): the error does not grow with the number of terms.</summary>
struct CompensatedSum(double sum, double compensation)
{
    public double Sum { get; private set; } = sum;

    public double Compensation { get; private set; } = compensation;

    public readonly double Value => Sum + Compensation;

    public void Add(double term)
    {
        var next = Sum + term;
        Compensation += Math.Abs(Sum) >= Math.Abs(term) ? Sum - next + term : term - next + Sum;
        Sum = next;
    }
}
