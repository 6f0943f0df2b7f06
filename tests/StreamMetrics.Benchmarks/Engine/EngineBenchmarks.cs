using BenchmarkDotNet.Attributes;
using StreamMetrics.Streams;

namespace StreamMetrics.Benchmarks.Engine;

/// <summary>
/// The whole engine, bytes in, aggregates updated and written: one operation is one event, 300 ns are 3.3 million events a second. The
/// log goes on with later times, so windows close and commits are written as in real life (one a second of log time).
/// </summary>
[MemoryDiagnoser]
public class EngineBenchmarks
{
    const int Events = 400_000;
    const long SpanMs = 30_000;
    const long CommitMs = 1_000;

    readonly NullOutput _output = new();
    WorkW _work = null!;
    PartitionEngine _engine = null!;

    [Params(100, 1_000, 10_000, 200_000)]
    public int Series { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _work = new(Events, Series, SpanMs);
        _engine = new(0, new() { MaxSeriesPerService = 100_000, MaxSeriesPerPartition = 1_000_000 });
        for (var i = 0; i < 3; i++)
        {
            Process();
            _work.Shift(SpanMs);
        }
    }

    [IterationSetup]
    public void Later() => _work.Shift(SpanMs);

    /// <summary>One event of a log that goes on.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public long Process()
    {
        var commit = 0L;
        for (var i = 0; i < _work.Count; i++)
        {
            _engine.Process(_work.Record(i, _engine.Position));
            if (_work.LogTimes[i] < commit) continue;
            _engine.WriteCommit(_output);
            commit = _work.LogTimes[i] + CommitMs;
        }

        return _engine.Statistics.Accepted;
    }
}

/// <summary>Counts what a commit writes.</summary>
sealed class NullOutput : IEngineOutput
{
    public long Bytes { get; private set; }

    public void Aggregate(string window, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Bytes += value.Length;

    public void DeadLetter(in RejectedRecord record) => Bytes += record.Value.Length;

    public void Late(in RejectedRecord record) => Bytes += record.Value.Length;

    public void State(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Bytes += value.Length;
}
