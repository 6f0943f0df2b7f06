using System.Text;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Tests.Engine;

/// <summary>One record of a test's input log.</summary>
sealed record LogRecord(long Offset, long LogTime, byte[] Value)
{
    public bool IsClock { get; init; }

    public ReplayOrigin? Replay { get; init; }
}

/// <summary>A rejected record as it was written.</summary>
sealed record Rejected(long Offset, long LogTime, string Key, byte[] Value, string Reason, string Message, int Attempts);

/// <summary>
/// The synchronous driver of the engine: records go in, what commits write is kept. The state is kept as a compacted topic would keep it,
/// so that the engine can be thrown away and restored at any moment.
/// </summary>
sealed class EngineDriver : IEngineOutput
{
    readonly EngineOptions _options;

    public EngineDriver(EngineOptions? options = null, int partition = 2)
    {
        _options = options ?? new();
        Engine = new(partition, _options);
    }

    public PartitionEngine Engine { get; private set; }

    /// <summary>Aggregates in the order in which they were written: window name and JSON.</summary>
    public List<(string Window, string Key, byte[] Json)> Aggregates { get; } = [];

    public List<Rejected> DeadLetters { get; } = [];

    public List<Rejected> LateRecords { get; } = [];

    public SortedDictionary<string, byte[]> State { get; } = new(StringComparer.Ordinal);

    public int StateRecords { get; private set; }

    public IEnumerable<Aggregate> Parsed => Aggregates.Select(a => Parse(a.Json));

    public static Aggregate Parse(byte[] json) => System.Text.Json.JsonSerializer.Deserialize(json, ContractsJson.Default.Aggregate)!;

    public void Feed(LogRecord record) => Engine.Process(new()
    {
        Offset = record.Offset,
        LogTime = record.LogTime,
        IsClock = record.IsClock,
        Replay = record.Replay,
        Key = "key"u8,
        Value = record.Value,
    });

    /// <summary>Feeds an event at the engine's position.</summary>
    public void Feed(TestEvent e, long logTime, ReplayOrigin? replay = null) => Feed(new(Engine.Position, logTime, e.ToJson()) { Replay = replay });

    public void Clock(long logTime) => Feed(new(Engine.Position, logTime, []) { IsClock = true });

    public void Commit() => Engine.WriteCommit(this);

    /// <summary>Throws the engine away, with all it has not committed, and restores another one from the state.</summary>
    public RestoreResult Crash(EngineOptions? options = null)
    {
        Engine = new(Engine.Partition, options ?? _options);
        foreach (var (key, value) in State) Engine.Restore(Convert.FromHexString(key), value);
        return Engine.CompleteRestore();
    }

    void IEngineOutput.Aggregate(string window, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        Aggregates.Add((window, Encoding.UTF8.GetString(key), value.ToArray()));

    void IEngineOutput.DeadLetter(in RejectedRecord record) => DeadLetters.Add(Copy(record));

    void IEngineOutput.Late(in RejectedRecord record) => LateRecords.Add(Copy(record));

    void IEngineOutput.State(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        StateRecords++;
        if (value.IsEmpty) State.Remove(Convert.ToHexString(key));
        else State[Convert.ToHexString(key)] = value.ToArray();
    }

    static Rejected Copy(in RejectedRecord record) =>
        new(record.Offset, record.LogTime, Encoding.UTF8.GetString(record.Key), record.Value.ToArray(), record.Reason, record.Message, record.Attempts);
}
