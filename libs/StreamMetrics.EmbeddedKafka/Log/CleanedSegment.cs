using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>A segment that a compaction writes. It becomes part of the log by <see cref="Install"/>.</summary>
internal sealed class CleanedSegment : IDisposable
{
    readonly Segment _accounts;
    readonly string _path;
    readonly WireWriter _buffer = new(1 << 16);
    readonly SafeFileHandle _file;
    long _written;

    public CleanedSegment(string directory, long baseOffset)
    {
        BaseOffset = baseOffset;
        _path = Path.Combine(directory, baseOffset.ToString(CultureInfo.InvariantCulture) + CompactionFiles.Cleaned);
        _file = File.OpenHandle(_path, FileMode.Create, FileAccess.Write);
        _accounts = Segment.ForAccounts(baseOffset);
    }

    public long BaseOffset { get; }

    public bool IsEmpty => _accounts.Size == 0;

    public void Add(ReadOnlySpan<byte> batch, in BatchHeader header)
    {
        _accounts.Account(header.BaseOffset, header.LastOffset + 1, header.MaxTimestamp, batch.Length);
        _buffer.Raw(batch);
        if (_buffer.Length >= 1 << 20) WriteOut();
    }

    /// <summary>Everything is on the disk when this returns.</summary>
    public void Complete()
    {
        WriteOut();
        RandomAccess.FlushToDisk(_file);
    }

    /// <summary>Takes the place of the segments with base offsets in [own base offset, next).</summary>
    public Segment Install(string directory, long next)
    {
        _file.Dispose();
        var swap = Path.Combine(directory, $"{BaseOffset.ToString(CultureInfo.InvariantCulture)}-{next.ToString(CultureInfo.InvariantCulture)}{CompactionFiles.Swap}");
        File.Move(_path, swap, overwrite: true);
        CompactionFiles.FinishSwap(directory, swap);
        var segment = Segment.Open(directory, BaseOffset);
        segment.Restore(_accounts.Size, _accounts.NextOffset, _accounts.FirstTimestamp, _accounts.MaxTimestamp, _accounts.Index);
        SegmentIndexFile.Write(segment);
        return segment;
    }

    public void Discard()
    {
        _file.Dispose();
        File.Delete(_path);
    }

    public void Dispose()
    {
        _file.Dispose();
        _buffer.Dispose();
    }

    void WriteOut()
    {
        RandomAccess.Write(_file, _buffer.Written, _written);
        _written += _buffer.Length;
        _buffer.Truncate(0);
    }
}
