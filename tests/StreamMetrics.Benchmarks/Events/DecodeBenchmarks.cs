using BenchmarkDotNet.Attributes;
using StreamMetrics.Benchmarks.Engine;
using StreamMetrics.Contracts.Events;

namespace StreamMetrics.Benchmarks.Events;

/// <summary>Decoding and validating one event of work W from its bytes, with and without the hash that its series is found by.</summary>
[MemoryDiagnoser]
public class DecodeBenchmarks
{
    const int Events = 100_000;

    readonly EventReader _reader = new();
    WorkW _work = null!;

    [GlobalSetup]
    public void Setup() => _work = new(Events, 1_000, 30_000);

    /// <summary>Decode.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Events)]
    public int Decode()
    {
        var valid = 0;
        for (var i = 0; i < _work.Count; i++) valid += _reader.TryRead(_work[i], out _) ? 1 : 0;
        return valid;
    }

    /// <summary>Decode and hash the identity.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public ulong DecodeAndHash()
    {
        var hash = 0UL;
        for (var i = 0; i < _work.Count; i++)
        {
            if (_reader.TryRead(_work[i], out _)) hash ^= _reader.IdentityHash();
        }

        return hash;
    }
}
