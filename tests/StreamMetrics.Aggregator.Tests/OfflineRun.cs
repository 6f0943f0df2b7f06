using System.Text;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.Streams;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Aggregator.Tests;

/// <summary>
/// What the aggregators should have written: the log of events run through engines in this process, one per partition, with no commit before
/// the end. The engine is deterministic, so outputs are compared byte for byte.
/// </summary>
sealed class OfflineRun : IEngineOutput
{
    readonly List<string> _aggregates = [];

    OfflineRun()
    {
    }

    /// <summary>Topic window, key and value of each aggregate, sorted.</summary>
    public IReadOnlyList<string> Aggregates => _aggregates;

    /// <summary>Offsets of dead letters as <c>partition/offset</c>, sorted.</summary>
    public List<string> DeadLetters { get; } = [];

    /// <summary>Offsets of late records as <c>partition/offset</c>, sorted.</summary>
    public List<string> LateRecords { get; } = [];

    /// <summary>True when some window has not been closed by the log.</summary>
    public bool HasOpenWindows { get; private set; }

    int _partition;

    /// <summary>Runs the log as it is now.</summary>
    /// <param name="bootstrapServers">The cluster.</param>
    /// <param name="options">The aggregators' engine options.</param>
    public static async Task<OfflineRun> OfAsync(string bootstrapServers, EngineOptions options)
    {
        var records = await TopicReader.ReadAsync(bootstrapServers, Topics.Events);
        var run = new OfflineRun();
        foreach (var partition in records.GroupBy(r => r.Partition.Value)) run.Add(partition.Key, partition, options);
        run._aggregates.Sort(StringComparer.Ordinal);
        run.DeadLetters.Sort(StringComparer.Ordinal);
        run.LateRecords.Sort(StringComparer.Ordinal);
        return run;
    }

    void Add(int partition, IEnumerable<ConsumeResult<byte[]?, byte[]?>> records, EngineOptions options)
    {
        _partition = partition;
        var engine = new PartitionEngine(partition, options);
        engine.CompleteRestore();
        foreach (var record in records)
        {
            engine.Process(new InputRecord
            {
                Offset = record.Offset.Value,
                LogTime = record.Message.Timestamp.UnixTimestampMs,
                IsClock = record.Message.Key is null && record.Message.Value is null,
                Key = record.Message.Key,
                Value = record.Message.Value,
            });
        }

        HasOpenWindows |= engine.NextFinalTime is not null;
        engine.WriteCommit(this);
    }

    /// <summary>The form in which an aggregate is compared.</summary>
    public static string Line(string window, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        $"{window} {Encoding.UTF8.GetString(key)} {Encoding.UTF8.GetString(value)}";

    void IEngineOutput.Aggregate(string window, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => _aggregates.Add(Line(window, key, value));

    void IEngineOutput.DeadLetter(in RejectedRecord record) => DeadLetters.Add($"{_partition}/{record.Offset}");

    void IEngineOutput.Late(in RejectedRecord record) => LateRecords.Add($"{_partition}/{record.Offset}");

    void IEngineOutput.State(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // Not compared: which records a commit holds depends on when it comes.
    }
}
