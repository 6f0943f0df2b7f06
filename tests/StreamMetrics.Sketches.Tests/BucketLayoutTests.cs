using System.Numerics;
using Xunit;

namespace StreamMetrics.Sketches.Tests;

public class BucketLayoutTests
{
    [Fact]
    public void Every_boundary_separates_its_buckets_to_the_last_bit()
    {
        for (var j = 0; j < 64; j++)
        {
            var below = BucketLayout.LowerBound(j, 6);
            // below ≤ 2^(j/64) < the next double, checked in integers: m^64 against 2^(j + 52·64).
            var m = (BitConverter.DoubleToInt64Bits(below) & 0xFFFFFFFFFFFFF) | 1L << 52;
            var limit = BigInteger.One << (j + 52 * 64);
            Assert.True(BigInteger.Pow(m, 64) <= limit && BigInteger.Pow(m + 1, 64) > limit, $"boundary {j}");
            Assert.Equal(j - 1, BucketLayout.IndexOf(below));
            Assert.Equal(j, BucketLayout.IndexOf(Math.BitIncrement(below)));
        }
    }

    [Theory]
    [InlineData(1.0, -1)] // a power of two is the upper bound of its bucket
    [InlineData(2.0, 63)]
    [InlineData(0.5, -65)]
    [InlineData(1.0000000000000002, 0)]
    [InlineData(4096.0, 12 * 64 - 1)]
    [InlineData(double.MaxValue, 1024 * 64 - 1)]
    [InlineData(2.2250738585072014e-308, -1022 * 64 - 1)]
    [InlineData(1.1125369292536007e-308, -1023 * 64 - 1)] // subnormal
    [InlineData(double.Epsilon, -1074 * 64 - 1)]
    public void Known_values_lie_in_known_buckets(double value, int index) => Assert.Equal(index, BucketLayout.IndexOf(value));

    [Fact]
    public void A_coarser_index_is_the_finer_one_shifted()
    {
        foreach (var value in Values.Of("extremes", 7, 2000).Select(Math.Abs))
        {
            for (var scale = 0; scale <= 6; scale++)
            {
                var index = BucketLayout.IndexOf(value) >> (6 - scale);
                Assert.True(value > BucketLayout.LowerBound(index, scale), $"{value:R} at scale {scale}");
                Assert.True(value <= BucketLayout.LowerBound(index + 1, scale) * (1 + 1e-15), $"{value:R} at scale {scale}");
            }
        }
    }

    [Fact]
    public void The_relative_error_at_scale_6_is_0_5415_percent()
    {
        Assert.Equal(0.005415, BucketLayout.RelativeError(6), 6);
        Assert.Equal(1.0 / 3, BucketLayout.RelativeError(0), 12);
    }
}
