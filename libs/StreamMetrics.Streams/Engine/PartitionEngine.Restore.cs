using System.Text;
using StreamMetrics.Sketches;

namespace StreamMetrics.Streams;

// From the records of the state topic back to the engine that wrote them.
public sealed partial class PartitionEngine
{
    // The newest value of every key; most keys are written again and again, so nothing is read before the end is known.
    Dictionary<StateKey, byte[]>? _restored = new(StateKeyComparer.Instance);
    long _restoredRecords;

    /// <summary>Takes one record of the state topic, in log order; before the first <see cref="Process"/>.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="value">Its value; empty for a tombstone.</param>
    /// <exception cref="StateCorruptedException">The record is not of a version that this program reads.</exception>
    /// <exception cref="InvalidOperationException">The restore is over.</exception>
    public void Restore(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (_restored == null) throw new InvalidOperationException("State can be restored into a new engine only.");
        _restoredRecords++;
        if (key.IsEmpty || key[0] is < StateFormat.Meta or > StateFormat.Replay) throw Corrupt(key, "the type of the key is not known");
        if (!value.IsEmpty && value[0] != StateFormat.Version) throw Corrupt(key, $"version {value[0]} is not known, this program reads {StateFormat.Version}");
        var lookup = _restored.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (value.IsEmpty) lookup.Remove(key);
        else if (lookup.TryGetValue(key, out var old) && old.Length == value.Length) value.CopyTo(old);
        else lookup[key] = value.ToArray();
    }

    /// <summary>Ends the restore: checks that the state is whole and makes the engine ready.</summary>
    /// <exception cref="StateCorruptedException">Records are missing or contradict each other.</exception>
    /// <exception cref="StateIncompatibleException">The state was written with other window options.</exception>
    public RestoreResult CompleteRestore()
    {
        if (_restored == null) throw new InvalidOperationException("State can be restored into a new engine only.");
        var records = _restored.Select(r => (Key: r.Key.Bytes, Value: r.Value)).ToList();
        _restored = null;
        var meta = records.Find(r => r.Key[0] == StateFormat.Meta);
        if (meta.Key == null)
        {
            if (records.Count > 0) throw new StateCorruptedException($"The state of partition {Partition} has {records.Count} records but no meta record.");
            return new(false, 0, 0, _restoredRecords);
        }

        var (series, cells) = Read(meta.Key, () => ReadMeta(meta.Value));
        ReadDefinitions(records, series);
        foreach (var (key, value) in records)
        {
            Read(key, () =>
            {
                if (key[0] is StateFormat.Panes or StateFormat.Windows) ReadTable(key, value);
                return 0;
            });
        }

        foreach (var (key, value) in records.Where(r => r.Key[0] == StateFormat.Corrections).OrderBy(r => KeyNumber(r.Key))) Read(key, () => ReadCorrections(value));
        ReadReplays(records);
        if (_cells != cells) throw new StateCorruptedException($"The state of partition {Partition} has {_cells} cells; its meta record says {cells}.");
        return new(true, _position, _watermark, _restoredRecords);
    }

    // Returns how many series and cells there must be.
    (long Series, long Cells) ReadMeta(byte[] value)
    {
        var reader = new ByteReader(value.AsSpan(1));
        _position = (long)reader.Varint();
        _watermark = (long)reader.Varint();
        var series = (long)reader.Varint();
        var cells = (long)reader.Varint();
        var layout = Encoding.UTF8.GetString(reader.Take(reader.Length()));
        if (layout != _time.Layout)
        {
            throw new StateIncompatibleException(
                $"The state of partition {Partition} was written with other options: {layout}; now they are: {_time.Layout}. " +
                "Take the former options back, or start with an empty state topic and a new consumer group.");
        }

        _closedPane = Math.Max(-1, _time.ClosedPane(_watermark));
        _currentPane = _watermark / _time.Pane;
        _nextBoundary = Math.Min((_currentPane + 1) * _time.Pane, (_closedPane + 2) * _time.Pane + _time.Grace);
        return (series, cells);
    }

    void ReadDefinitions(List<(byte[] Key, byte[] Value)> records, long expected)
    {
        var definitions = new List<SeriesState>();
        foreach (var (key, value) in records)
        {
            if (key[0] != StateFormat.Definitions) continue;
            Read(key, () =>
            {
                var reader = new ByteReader(value.AsSpan(1));
                var block = (int)KeyNumber(key);
                while (!reader.AtEnd) definitions.Add(SeriesState.Read(block, ref reader));
                return 0;
            });
        }

        if (definitions.Count != expected) throw new StateCorruptedException($"The state of partition {Partition} defines {definitions.Count} series; its meta record says {expected}.");
        // Totals first: a series refers to its total.
        foreach (var d in definitions.OrderBy(d => d.TotalId >= 0).ThenBy(d => d.Id))
        {
            Read(Encoding.UTF8.GetBytes(d.MetricName), () => _registry.Restore(d.Id, d.TotalId, d.ServiceId, d.MetricName, d.MetricType, d.Unit, d.Tags)).LastSeen = _watermark;
        }

        _registry.CompleteRestore();
    }

    int ReadTable(byte[] key, byte[] value)
    {
        var keyReader = new ByteReader(key.AsSpan(1));
        var size = (int)keyReader.Varint();
        var slot = (int)keyReader.Varint();
        var block = (int)keyReader.Varint();
        var isPane = key[0] == StateFormat.Panes;
        var reader = new ByteReader(value.AsSpan(1));
        var number = (long)reader.Varint();
        // Slots are used again: a record may be of a pane or window that is long past.
        if (isPane ? IsExpired(number) : _time.IsFinal((number + 1) * _time.Windows[size].Size, _watermark)) return 0;
        var slots = isPane ? _panes : _windows[size];
        if (number % slots.Length != slot || (slots[slot] is { } other && other.Number != number)) throw new FormatException($"Number {number} is not the one of slot {slot}.");
        var table = TableOf(slots, number);
        while (!reader.AtEnd)
        {
            var id = (block << StateFormat.BlockBits) + reader.Byte();
            var series = _registry.ById(id) ?? throw new FormatException($"Series {id} is not defined.");
            if (table.Find(id) != null) throw new FormatException($"Series {id} is there twice.");
            OpenCell(table, series).ReadFrom(ref reader);
            if (!isPane) Statistics.OpenWindows++;
        }

        table.Dirty.AsSpan().Clear();
        return 0;
    }

    int ReadCorrections(byte[] value)
    {
        var reader = new ByteReader(value.AsSpan(1));
        while (!reader.AtEnd)
        {
            var id = (int)reader.Varint();
            var size = (int)reader.Varint();
            var number = (long)reader.Varint();
            var series = _registry.ById(id) ?? throw new FormatException($"Series {id} is not defined.");
            if ((uint)size >= (uint)_windows.Length) throw new FormatException($"There is no window size {size}.");
            var cell = new Accumulator();
            cell.ReadFrom(ref reader);
            AddCorrection(series, size, number, cell);
        }

        _storedCorrections++;
        return 0;
    }

    void ReadReplays(List<(byte[] Key, byte[] Value)> records)
    {
        var replays = new List<(long Time, string Id)>();
        foreach (var (key, value) in records)
        {
            if (key[0] != StateFormat.Replay) continue;
            replays.Add((Read(key, () => (long)new ByteReader(value.AsSpan(1)).Varint()), Encoding.UTF8.GetString(key.AsSpan(1))));
        }

        foreach (var (time, id) in replays.Order())
        {
            _replays.Add(id, time);
            _replayOrder.Enqueue(id);
        }
    }

    static long KeyNumber(byte[] key) => (long)new ByteReader(key.AsSpan(1)).Varint();

    // What cannot be read says which record it was.
    static T Read<T>(byte[] key, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is FormatException or OverflowException or IndexOutOfRangeException or ArgumentException)
        {
            throw Corrupt(key, e.Message, e);
        }
    }

    static StateCorruptedException Corrupt(ReadOnlySpan<byte> key, string what, Exception? cause = null) =>
        new($"State record with key {Convert.ToHexStringLower(key)}: {what}", cause);
}
