using System.Buffers;
using StreamMetrics.Contracts;
using StreamMetrics.Sketches;

namespace StreamMetrics.Streams;

// What a commit holds, and what waits for it.
public sealed partial class PartitionEngine
{
    // Corrections share state records in groups of this many, in the order in which they came.
    const int CorrectionsPerRecord = 16;

    readonly AggregateWriter _writer;
    readonly List<PendingAggregate> _pending = [];

    // Rejected records, their bytes one behind the other in _rejectedBytes.
    readonly List<StoredRecord> _rejected = [];
    readonly ArrayBufferWriter<byte> _rejectedBytes = new(4096);

    // Replays that were counted, in log order, with their log time.
    readonly Dictionary<string, long> _replays = new(StringComparer.Ordinal);
    readonly Queue<string> _replayOrder = new();
    readonly List<string> _newReplays = [];
    readonly List<string> _oldReplays = [];

    readonly SortedSet<int> _dirtyCorrections = [];
    int _storedCorrections; // records of corrections in the state topic

    readonly ArrayBufferWriter<byte> _stateKey = new(64);
    readonly ArrayBufferWriter<byte> _stateValue = new(16 * 1024);
    readonly ArrayBufferWriter<byte> _scratch = new(4096);

    readonly record struct StoredRecord(bool IsLate, long Offset, long LogTime, int KeyStart, int KeyLength, int ValueLength, string Reason, string Message, int Attempts);

    /// <summary>
    /// Writes everything since the last commit and forgets it: if the transaction fails, throw this engine away and restore another one.
    /// </summary>
    /// <param name="output">Receives it.</param>
    public void WriteCommit(IEngineOutput output)
    {
        ArgumentNullException.ThrowIfNull(output);
        FinishStarted();
        WriteAggregates(output);
        WriteRejected(output, late: false);
        WriteRejected(output, late: true);
        _rejected.Clear();
        _rejectedBytes.ResetWrittenCount();
        WriteState(output);
        HasChanges = false;
    }

    void Refuse(in InputRecord record, string reason, string message)
    {
        Store(record, isLate: false, reason, message);
        Statistics.DeadLetters++;
        Statistics.DeadLetterCounts[reason] = Statistics.DeadLetterCounts.GetValueOrDefault(reason) + 1;
    }

    void PutAside(in InputRecord record, string serviceId, string message)
    {
        Store(record, isLate: true, ReasonCodes.BeyondHorizon, message);
        Statistics.Late++;
        if (_registry.StatisticsOf(serviceId) is { } counts) counts.Late++;
    }

    void Store(in InputRecord record, bool isLate, string reason, string message)
    {
        var start = _rejectedBytes.WrittenCount;
        _rejectedBytes.Write(record.Key);
        _rejectedBytes.Write(record.Value);
        _rejected.Add(new(isLate, record.Offset, record.LogTime, start, record.Key.Length, record.Value.Length, reason, message, record.Attempts + 1));
    }

    bool IsFirstReplay(ReplayOrigin origin)
    {
        var id = origin.ToString();
        if (!_replays.TryAdd(id, _watermark))
        {
            Statistics.ReplayDuplicates++;
            return false;
        }

        _replayOrder.Enqueue(id);
        _newReplays.Add(id);
        return true;
    }

    // At pane boundaries: what is older than the topics keep their records cannot be replayed again.
    void ForgetReplays()
    {
        while (_replayOrder.TryPeek(out var id) && _watermark - _replays[id] > (long)Options.ReplayRetention.TotalMilliseconds)
        {
            _replayOrder.Dequeue();
            _replays.Remove(id);
            if (!_newReplays.Remove(id)) _oldReplays.Add(id);
        }
    }

    void WriteAggregates(IEngineOutput output)
    {
        foreach (ref readonly var aggregate in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_pending))
        {
            _writer.Write(aggregate);
            output.Aggregate(aggregate.Window.Name, aggregate.Series.Service.Key, _writer.Json);
            Recycle(aggregate.Cell);
        }

        _pending.Clear();
    }

    void WriteRejected(IEngineOutput output, bool late)
    {
        foreach (var record in _rejected)
        {
            if (record.IsLate != late) continue;
            var rejected = new RejectedRecord
            {
                Offset = record.Offset,
                LogTime = record.LogTime,
                Key = _rejectedBytes.WrittenSpan.Slice(record.KeyStart, record.KeyLength),
                Value = _rejectedBytes.WrittenSpan.Slice(record.KeyStart + record.KeyLength, record.ValueLength),
                Reason = record.Reason,
                Message = record.Message,
                Attempts = record.Attempts,
            };
            if (late) output.Late(rejected);
            else output.DeadLetter(rejected);
        }
    }

    void WriteState(IEngineOutput output)
    {
        foreach (var block in _registry.DirtyBlocks) WriteDefinitions(output, block);
        _registry.DirtyBlocks.Clear();
        for (var slot = 0; slot < _panes.Length; slot++) WriteTable(output, _panes[slot], StateFormat.Panes, 0, slot);
        for (var k = 0; k < _windows.Length; k++)
        {
            for (var slot = 0; slot < _windows[k].Length; slot++) WriteTable(output, _windows[k][slot], StateFormat.Windows, k, slot);
        }

        WriteCorrections(output);
        foreach (var id in _newReplays) WriteReplay(output, id, _replays[id]);
        foreach (var id in _oldReplays) WriteReplay(output, id, null);
        _newReplays.Clear();
        _oldReplays.Clear();
        WriteMeta(output);
    }

    void WriteDefinitions(IEngineOutput output, int block)
    {
        var key = BeginKey(StateFormat.Definitions);
        key.Varint((ulong)block);
        key.Flush();
        _stateValue.ResetWrittenCount();
        for (var i = 0; i < StateFormat.BlockSize; i++)
        {
            if (_registry.ById((block << StateFormat.BlockBits) + i) is { } series) SeriesState.Write(series, i, _stateValue);
        }

        EmitState(output);
    }

    void WriteTable(IEngineOutput output, CellTable? table, byte type, int size, int slot)
    {
        if (table == null) return;
        var dirty = table.Dirty;
        for (var block = 0; block < dirty.Length; block++)
        {
            if (!dirty[block]) continue;
            dirty[block] = false;
            var key = BeginKey(type);
            key.Varint((ulong)size);
            key.Varint((ulong)slot);
            key.Varint((ulong)block);
            key.Flush();
            var value = BeginValue();
            value.Varint((ulong)table.Number);
            value.Flush();
            for (var i = 0; i < StateFormat.BlockSize; i++)
            {
                if (table.Find((block << StateFormat.BlockBits) + i) is not { } cell) continue;
                _stateValue.Write([(byte)i]);
                cell.WriteTo(_stateValue, _scratch);
            }

            output.State(_stateKey.WrittenSpan, _stateValue.WrittenSpan);
        }
    }

    void MarkCorrectionDirty(int index) => _dirtyCorrections.Add(index / CorrectionsPerRecord);

    void WriteCorrections(IEngineOutput output)
    {
        foreach (var group in _dirtyCorrections)
        {
            var key = BeginKey(StateFormat.Corrections);
            key.Varint((ulong)group);
            key.Flush();
            BeginValue().Flush();
            for (var i = group * CorrectionsPerRecord; i < Math.Min((group + 1) * CorrectionsPerRecord, _corrections.Count); i++)
            {
                var (series, size, number, cell) = _corrections[i];
                var value = new ByteWriter(_stateValue);
                value.Varint((ulong)series.Id);
                value.Varint((ulong)size);
                value.Varint((ulong)number);
                value.Flush();
                cell.WriteTo(_stateValue, _scratch);
            }

            output.State(_stateKey.WrittenSpan, _stateValue.WrittenSpan);
        }

        _dirtyCorrections.Clear();
        var groups = (_corrections.Count + CorrectionsPerRecord - 1) / CorrectionsPerRecord;
        // Emitted ones leave no record behind, however many there were.
        for (var group = groups; group < _storedCorrections; group++)
        {
            var key = BeginKey(StateFormat.Corrections);
            key.Varint((ulong)group);
            key.Flush();
            output.State(_stateKey.WrittenSpan, default);
        }

        _storedCorrections = groups;
    }

    void WriteReplay(IEngineOutput output, string id, long? logTime)
    {
        var key = BeginKey(StateFormat.Replay);
        key.Bytes(System.Text.Encoding.UTF8.GetBytes(id));
        key.Flush();
        _stateValue.ResetWrittenCount();
        if (logTime is { } time)
        {
            var value = BeginValue();
            value.Varint((ulong)time);
            value.Flush();
        }

        output.State(_stateKey.WrittenSpan, _stateValue.WrittenSpan);
    }

    void WriteMeta(IEngineOutput output)
    {
        BeginKey(StateFormat.Meta).Flush();
        var value = BeginValue();
        value.Varint((ulong)_position);
        value.Varint((ulong)_watermark);
        value.Varint((ulong)_registry.Count);
        value.Varint((ulong)_cells);
        var layout = System.Text.Encoding.UTF8.GetBytes(_time.Layout);
        value.Varint((ulong)layout.Length);
        value.Bytes(layout);
        value.Flush();
        output.State(_stateKey.WrittenSpan, _stateValue.WrittenSpan);
    }

    // An empty value is a tombstone: no series of the block is left.
    void EmitState(IEngineOutput output)
    {
        if (_stateValue.WrittenCount == 0)
        {
            output.State(_stateKey.WrittenSpan, default);
            return;
        }

        _scratch.ResetWrittenCount();
        _scratch.Write([StateFormat.Version]);
        _scratch.Write(_stateValue.WrittenSpan);
        output.State(_stateKey.WrittenSpan, _scratch.WrittenSpan);
    }

    ByteWriter BeginKey(byte type)
    {
        _stateKey.ResetWrittenCount();
        var writer = new ByteWriter(_stateKey);
        writer.Byte(type);
        return writer;
    }

    ByteWriter BeginValue()
    {
        _stateValue.ResetWrittenCount();
        var writer = new ByteWriter(_stateValue);
        writer.Byte(StateFormat.Version);
        return writer;
    }
}
