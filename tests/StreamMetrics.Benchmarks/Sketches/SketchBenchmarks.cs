using System.Buffers;
using BenchmarkDotNet.Attributes;
using StreamMetrics.Sketches;

namespace StreamMetrics.Benchmarks.Sketches;

/// <summary>What adding a value, merging and encoding cost, on log-normal values as latencies have them.</summary>
[MemoryDiagnoser]
public class SketchBenchmarks
{
    const int Values = 1000;

    readonly double[] _values = new double[Values];
    readonly ExponentialHistogram _sketch = new();
    readonly ExponentialHistogram _other = new();
    readonly ExponentialHistogram _target = new();
    readonly ArrayBufferWriter<byte> _buffer = new(8192);
    byte[] _bytes = [];

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        for (var i = 0; i < Values; i++)
        {
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            _values[i] = Math.Exp(5 + 0.6 * normal);
            _sketch.Add(_values[i]);
            _other.Add(_values[i] * 1.7);
        }

        _target.MergeFrom(_sketch);
        _target.MergeFrom(_other);
        _bytes = _sketch.ToArray();
    }

    /// <summary>1,000 values per operation: 6 µs are 6 ns a value.</summary>
    [Benchmark(OperationsPerInvoke = Values)]
    public long Add()
    {
        foreach (var value in _values) _target.Add(value);
        return _target.Count;
    }

    [Benchmark]
    public long Merge()
    {
        _target.MergeFrom(_other);
        return _target.Count;
    }

    [Benchmark]
    public long MergeIntoCleared()
    {
        _target.Clear();
        _target.MergeFrom(_sketch);
        _target.MergeFrom(_other);
        return _target.Count;
    }

    [Benchmark]
    public double Quantile() => _sketch.Quantile(0.99);

    [Benchmark]
    public int Write()
    {
        _buffer.ResetWrittenCount();
        _sketch.WriteTo(_buffer);
        return _buffer.WrittenCount;
    }

    [Benchmark]
    public long Read()
    {
        _target.ReadFrom(_bytes);
        return _target.Count;
    }
}
