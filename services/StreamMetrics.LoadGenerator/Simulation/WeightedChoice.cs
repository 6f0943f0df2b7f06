namespace StreamMetrics.LoadGenerator.Simulation;

/// <summary>Chooses an index with given weights in constant time: Walker's alias method, built as by Vose (1991).</summary>
sealed class WeightedChoice
{
    readonly double[] _keep;
    readonly int[] _alias;

    public WeightedChoice(IReadOnlyList<double> weights)
    {
        var n = weights.Count;
        var scale = n / weights.Sum();
        _keep = [.. weights.Select(w => w * scale)];
        _alias = [.. Enumerable.Range(0, n)];
        var small = new Stack<int>(Enumerable.Range(0, n).Where(i => _keep[i] < 1));
        var large = new Stack<int>(Enumerable.Range(0, n).Where(i => _keep[i] >= 1));
        while (small.Count > 0 && large.Count > 0)
        {
            var (less, more) = (small.Pop(), large.Pop());
            _alias[less] = more;
            _keep[more] -= 1 - _keep[less];
            (_keep[more] < 1 ? small : large).Push(more);
        }

        // What is left is 1 but for rounding.
        foreach (var i in small.Concat(large)) _keep[i] = 1;
    }

    public int Next(RandomSource random)
    {
        var i = random.Next(_keep.Length);
        return random.NextDouble() < _keep[i] ? i : _alias[i];
    }
}
