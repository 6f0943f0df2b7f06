namespace StreamMetrics.Sketches.Tests;

/// <summary>Data sets of the shapes that latencies, sizes and differences have.</summary>
static class Values
{
    public static readonly string[] Shapes = ["log-normal", "pareto", "bimodal", "nine-decades", "negative", "zeros", "extremes"];

    public static double[] Of(string shape, int seed, int count)
    {
        var random = new Random(seed);
        var values = new double[count];
        for (var i = 0; i < count; i++) values[i] = Next(shape, random);
        return values;
    }

    /// <summary>Any number of values of any shape.</summary>
    public static double[] Any(int seed)
    {
        var random = new Random(seed);
        return Of(Shapes[random.Next(Shapes.Length)], seed, random.Next(3) == 0 ? random.Next(40) : random.Next(2000));
    }

    public static ExponentialHistogram Sketch(params IEnumerable<double> values)
    {
        var sketch = new ExponentialHistogram();
        foreach (var value in values) sketch.Add(value);
        return sketch;
    }

    /// <summary>The exact quantile: the value of rank max(1, ⌈q·n⌉).</summary>
    public static double Exact(double[] sorted, double q) => sorted[Math.Max(1, (int)Math.Ceiling(q * sorted.Length)) - 1];

    static double Next(string shape, Random random) => shape switch
    {
        "log-normal" => Math.Exp(5 + 0.6 * Normal(random)),
        "pareto" => 1 / Math.Pow(1 - random.NextDouble(), 1 / 1.2),
        "bimodal" => random.Next(2) == 0 ? 5 + 0.3 * Normal(random) : 900 + 40 * Normal(random),
        "nine-decades" => Math.Pow(10, random.NextDouble() * 9 - 3),
        "negative" => 10 * Normal(random),
        "zeros" => random.Next(3) == 0 ? (random.Next(2) == 0 ? 0.0 : -0.0) : random.Next(-3, 10),
        "extremes" => Math.ScaleB(random.NextDouble() + 0.5, random.Next(-1000, 1000)) * (random.Next(4) == 0 ? -1 : 1),
        _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, null),
    };

    static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
