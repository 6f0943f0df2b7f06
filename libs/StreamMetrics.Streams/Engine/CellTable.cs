using System.Diagnostics;

namespace StreamMetrics.Streams;

/// <summary>The accumulators of all series for one pane or one window, by series id, and which blocks changed since the last commit.</summary>
sealed class CellTable
{
    Accumulator?[] _cells = [];
    bool[] _dirty = [];

    /// <summary>Number of the pane or window.</summary>
    public long Number { get; private set; }

    public int Count { get; private set; }

    public Accumulator?[] Cells => _cells;

    /// <summary>By block (<see cref="StateFormat.BlockBits"/>); as long as the cells need.</summary>
    public bool[] Dirty => _dirty;

    public void Open(long number)
    {
        Debug.Assert(Count == 0, "A table is emptied before it is used again.");
        Number = number;
    }

    public Accumulator? Find(int id) => (uint)id < (uint)_cells.Length ? _cells[id] : null;

    public void Set(int id, Accumulator cell)
    {
        if (id >= _cells.Length)
        {
            var length = Math.Max(StateFormat.BlockSize * 4, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)id + 1));
            Array.Resize(ref _cells, length);
            Array.Resize(ref _dirty, length >> StateFormat.BlockBits);
        }

        Debug.Assert(_cells[id] == null, "A cell is set once.");
        _cells[id] = cell;
        Count++;
    }

    public void MarkDirty(int id) => _dirty[id >> StateFormat.BlockBits] = true;

    /// <summary>Takes all cells out; whoever calls has looked after the accumulators.</summary>
    public void Clear()
    {
        _cells.AsSpan().Clear();
        _dirty.AsSpan().Clear();
        Count = 0;
    }
}
