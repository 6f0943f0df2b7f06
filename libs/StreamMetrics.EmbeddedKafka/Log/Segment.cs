using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>An entry of a segment's sparse index: the batch at a position, and the newest timestamp of the segment up to and with it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct IndexEntry(long Offset, long MaxTimestamp, long Position);

/// <summary>
/// One file of a partition: batches exactly as they go over the wire, so reading is copying. The sparse index is in memory
/// and is written beside the file when the segment is complete (<see cref="SegmentIndexFile"/>). Changed under the partition's lock; the file
/// below <see cref="Size"/> never changes and is read without it.
/// </summary>
internal sealed class Segment : IDisposable
{
    /// <summary>Distance of index entries: a compromise between memory (24 bytes per entry) and headers to skip for a random read.</summary>
    const int IndexIntervalBytes = 8192;

    long _size;
    long _lastIndexed;

    Segment(string path, long baseOffset, SafeFileHandle file)
    {
        Path = path;
        BaseOffset = baseOffset;
        NextOffset = baseOffset;
        File = file;
    }

    public string Path { get; }

    public long BaseOffset { get; }

    public SafeFileHandle File { get; }

    public List<IndexEntry> Index { get; private set; } = [];

    public long Size => Volatile.Read(ref _size);

    /// <summary>The offset after the last record.</summary>
    public long NextOffset { get; private set; }

    public long MaxTimestamp { get; private set; } = -1;

    /// <summary>Timestamp of the first batch, from which segment.ms counts; -1 when empty.</summary>
    public long FirstTimestamp { get; private set; } = -1;

    /// <summary>Bytes already handed to the disk by fsync.</summary>
    public long FlushedSize { get; set; }

    public static string FileName(long baseOffset) => baseOffset.ToString("D20", CultureInfo.InvariantCulture) + ".log";

    public static Segment Open(string directory, long baseOffset)
    {
        var path = System.IO.Path.Combine(directory, FileName(baseOffset));
        var file = System.IO.File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        return new(path, baseOffset, file);
    }

    /// <summary>A segment without a file, which only keeps the index of one that is being written elsewhere.</summary>
    public static Segment ForAccounts(long baseOffset) => new("", baseOffset, new SafeFileHandle());

    /// <summary>Appends bytes at the end. The data is in the page cache when this returns, so it survives the death of the process.</summary>
    public void Append(ReadOnlySpan<byte> batch, long baseOffset, long nextOffset, long maxTimestamp)
    {
        RandomAccess.Write(File, batch, _size);
        Account(baseOffset, nextOffset, maxTimestamp, batch.Length);
    }

    /// <summary>Takes a batch that is already in the file into account (recovery and compaction).</summary>
    public void Account(long baseOffset, long nextOffset, long maxTimestamp, int length)
    {
        if (FirstTimestamp < 0) FirstTimestamp = maxTimestamp;
        if (maxTimestamp > MaxTimestamp) MaxTimestamp = maxTimestamp;
        if (_size - _lastIndexed >= IndexIntervalBytes || Index.Count == 0)
        {
            Index.Add(new(baseOffset, MaxTimestamp, _size));
            _lastIndexed = _size;
        }

        NextOffset = nextOffset;
        Volatile.Write(ref _size, _size + length);
    }

    /// <summary>Takes the state of a complete segment from its index file instead of scanning it.</summary>
    public void Restore(long size, long nextOffset, long firstTimestamp, long maxTimestamp, List<IndexEntry> index)
    {
        Volatile.Write(ref _size, size);
        (NextOffset, FirstTimestamp, MaxTimestamp, Index, FlushedSize) = (nextOffset, firstTimestamp, maxTimestamp, index, size);
        _lastIndexed = index.Count == 0 ? 0 : index[^1].Position;
    }

    /// <summary>The last index entry at or before an offset, as position to search from.</summary>
    public long FloorPosition(long offset)
    {
        int low = 0, high = Index.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            if (Index[middle].Offset <= offset) low = middle + 1;
            else high = middle - 1;
        }

        return high < 0 ? 0 : Index[high].Position;
    }

    /// <summary>A position at or after the batch that holds an offset.</summary>
    public long CeilingPosition(long offset)
    {
        int low = 0, high = Index.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Index[middle].Offset <= offset) low = middle + 1;
            else high = middle;
        }

        return low == Index.Count ? Size : Index[low].Position;
    }

    /// <summary>An offset at or above everything stored before a position.</summary>
    public long OffsetAtOrAfter(long position)
    {
        int low = 0, high = Index.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Index[middle].Position < position) low = middle + 1;
            else high = middle;
        }

        return low == Index.Count ? NextOffset : Index[low].Offset;
    }

    /// <summary>Where to start the search for the first record at or after a time: the index entry before the first that reaches it.</summary>
    public long FloorPositionOfTime(long timestamp)
    {
        long position = 0;
        foreach (var entry in Index)
        {
            if (entry.MaxTimestamp >= timestamp) break;
            position = entry.Position;
        }

        return position;
    }

    /// <summary>Cuts off what a failed write has left behind the last whole batch.</summary>
    public void CutToSize()
    {
        if (RandomAccess.GetLength(File) > _size) RandomAccess.SetLength(File, _size);
    }

    public void Flush()
    {
        var size = Size;
        if (size == FlushedSize) return;
        RandomAccess.FlushToDisk(File);
        FlushedSize = size;
    }

    /// <summary>Removes the files. Reads that run see the handle closed and look the offset up again.</summary>
    public void Delete()
    {
        System.IO.File.Delete(Path);
        System.IO.File.Delete(SegmentIndexFile.PathFor(Path));
        Dispose();
    }

    public void Dispose() => File.Dispose();
}
