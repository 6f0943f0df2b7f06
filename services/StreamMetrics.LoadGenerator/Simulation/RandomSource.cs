using System.Numerics;

namespace StreamMetrics.LoadGenerator.Simulation;

/// <summary>
/// xoshiro256** (Blackman and Vigna, https://prng.di.unimi.it), seeded by splitmix64. System.Random with a seed is several times slower, and
/// its sequence is not the same on all versions of .NET.
/// </summary>
sealed class RandomSource
{
    const double UnitOf53Bits = 1.0 / (1UL << 53);

    ulong _a;
    ulong _b;
    ulong _c;
    ulong _d;
    double _spareNormal = double.NaN;

    public RandomSource(long seed)
    {
        var state = (ulong)seed;
        (_a, _b, _c, _d) = (SplitMix(ref state), SplitMix(ref state), SplitMix(ref state), SplitMix(ref state));
    }

    public ulong Next()
    {
        var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        var t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>0 ≤ x &lt; 1.</summary>
    public double NextDouble() => (Next() >> 11) * UnitOf53Bits;

    /// <summary>0 ≤ n &lt; <paramref name="bound"/>; the bias is below 2^-32 for the small bounds used here.</summary>
    public int Next(int bound) => (int)(((Next() >> 32) * (ulong)bound) >> 32);

    /// <summary>Uniform in [<paramref name="from"/>, <paramref name="to"/>).</summary>
    public double Between(double from, double to) => from + (to - from) * NextDouble();

    /// <summary>Standard normal, by Marsaglia's polar method.</summary>
    public double NextNormal()
    {
        if (!double.IsNaN(_spareNormal))
        {
            var spare = _spareNormal;
            _spareNormal = double.NaN;
            return spare;
        }

        double x, y, s;
        do
        {
            (x, y) = (2 * NextDouble() - 1, 2 * NextDouble() - 1);
            s = x * x + y * y;
        }
        while (s is >= 1 or 0);
        var factor = Math.Sqrt(-2 * Math.Log(s) / s);
        _spareNormal = y * factor;
        return x * factor;
    }

    static ulong SplitMix(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
