using FsCheck.Xunit;
using Xunit;

namespace StreamMetrics.Sketches.Tests;

public class ExponentialHistogramTests
{
    static readonly double[] Ranks = [0, 0.001, 0.5, 0.9, 0.95, 0.99, 0.999, 1];

    public static TheoryData<string> AllShapes => [.. Values.Shapes];

    [Theory]
    [MemberData(nameof(AllShapes))]
    public void Every_quantile_is_within_the_error_it_states(string shape)
    {
        for (var seed = 0; seed < 8; seed++)
        {
            var values = Values.Of(shape, seed, 20_000);
            var sketch = Values.Sketch(values);
            if (shape != "extremes") Assert.Equal(6, sketch.Scale);
            Array.Sort(values);
            foreach (var q in Ranks)
            {
                var exact = Values.Exact(values, q);
                var bound = Math.Abs(exact) * sketch.MaxRelativeError * (1 + 1e-9);
                Assert.True(Math.Abs(sketch.Quantile(q) - exact) <= bound, $"{shape} seed {seed} q {q}: {sketch.Quantile(q):R} for {exact:R}");
            }
        }
    }

    [Property(MaxTest = 300)]
    public void Count_min_and_max_are_exact(int seed)
    {
        var values = Values.Any(seed);
        var sketch = Values.Sketch(values);
        Assert.Equal(values.Length, sketch.Count);
        Assert.Equal(values.Length == 0 ? double.NaN : values.Min(), sketch.Min);
        Assert.Equal(values.Length == 0 ? double.NaN : values.Max(), sketch.Max);
        Assert.Equal(values.Count(v => v == 0), sketch.ZeroCount);
    }

    [Property(MaxTest = 300)]
    public void Merging_equals_adding_everything_to_one_byte_for_byte(int first, int second)
    {
        var a = Values.Any(first);
        var b = Values.Any(second);
        var expected = Values.Sketch([.. a, .. b]).ToArray();
        var left = Values.Sketch(a);
        left.MergeFrom(Values.Sketch(b));
        var right = Values.Sketch(b);
        right.MergeFrom(Values.Sketch(a));
        Assert.Equal(expected, left.ToArray());
        Assert.Equal(expected, right.ToArray());
    }

    [Property(MaxTest = 200)]
    public void The_order_of_the_values_does_not_show(int seed)
    {
        var values = Values.Any(seed);
        var expected = Values.Sketch(values).ToArray();
        new Random(seed).Shuffle(values);
        Assert.Equal(expected, Values.Sketch(values).ToArray());
    }

    [Property(MaxTest = 200)]
    public void Merging_many_parts_in_any_grouping_gives_the_same(int seed)
    {
        var values = Values.Any(seed);
        var total = new ExponentialHistogram();
        foreach (var part in values.Chunk(7)) total.MergeFrom(Values.Sketch(part));
        var pairs = values.Chunk(50).Select(p => Values.Sketch(p)).Aggregate(new ExponentialHistogram(), (a, b) =>
        {
            b.MergeFrom(a);
            return b;
        });
        Assert.Equal(Values.Sketch(values).ToArray(), total.ToArray());
        Assert.Equal(total.ToArray(), pairs.ToArray());
    }

    [Fact]
    public void A_cleared_sketch_is_as_good_as_a_new_one()
    {
        var sketch = new ExponentialHistogram();
        for (var seed = 0; seed < 40; seed++)
        {
            var values = Values.Any(seed);
            sketch.Clear();
            foreach (var value in values) sketch.Add(value);
            Assert.Equal(Values.Sketch(values).ToArray(), sketch.ToArray());
        }
    }

    [Fact]
    public void Merging_with_itself_doubles_every_count()
    {
        var values = Values.Of("negative", 3, 500);
        var sketch = Values.Sketch(values);
        sketch.MergeFrom(sketch);
        Assert.Equal(Values.Sketch([.. values, .. values]).ToArray(), sketch.ToArray());
    }

    [Fact]
    public void The_scale_falls_only_as_far_as_the_span_needs()
    {
        Assert.Equal(6, Values.Sketch(1, Math.ScaleB(1, 63)).Scale); // 63 · 64 + 1 buckets
        Assert.Equal(6, Values.Sketch(1.01, Math.ScaleB(1, 64)).Scale); // 4,096 buckets: just fits
        Assert.Equal(5, Values.Sketch(1, Math.ScaleB(1, 64)).Scale); // 4,097
        Assert.Equal(0, Values.Sketch(double.Epsilon, double.MaxValue).Scale);
        Assert.Equal(5, Values.Sketch(-1, -Math.ScaleB(1, 64), 3).Scale);
    }

    [Fact]
    public void Counts_pass_32_bits()
    {
        var sketch = Values.Sketch(Enumerable.Repeat(5.0, 40));
        var expected = 40L;
        for (var i = 0; i < 28; i++)
        {
            sketch.MergeFrom(sketch);
            expected *= 2;
        }

        sketch.Add(7);
        Assert.True(expected > uint.MaxValue);
        Assert.Equal(expected + 1, sketch.Count);
        Assert.Equal(sketch.ToArray(), ExponentialHistogram.Read(sketch.ToArray()).ToArray());
        Assert.Equal(5, sketch.Quantile(0.999), 5 * 0.0055);
        Assert.Equal(7, sketch.Quantile(1), 7 * 0.0055);
        Assert.Equal(7, sketch.Max);
        sketch.Clear();
        sketch.Add(1);
        Assert.Equal(Values.Sketch(1).ToArray(), sketch.ToArray());
    }

    [Fact]
    public void An_empty_sketch_has_no_quantile_and_no_extremes()
    {
        var sketch = new ExponentialHistogram();
        Assert.Equal(double.NaN, sketch.Quantile(0.5));
        Assert.Equal(double.NaN, sketch.Min);
        sketch.MergeFrom(new());
        Assert.Equal(0, sketch.Count);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void Numbers_that_are_not_finite_are_refused(double value)
    {
        var sketch = new ExponentialHistogram();
        Assert.Throws<ArgumentOutOfRangeException>(() => sketch.Add(value));
        Assert.Equal(0, sketch.Count);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Only_0_to_1_are_quantiles(double q) => Assert.Throws<ArgumentOutOfRangeException>(() => Values.Sketch(1).Quantile(q));
}
