using System.Runtime.InteropServices;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// The index of a complete segment on disk, so that a start need not scan it: header {magic, size of the log file, next offset, first
/// and newest timestamp, CRC of the entries}, then the entries. It is trusted only when its size is that of the log file; the segment being
/// written has none.
/// </summary>
internal static class SegmentIndexFile
{
    const long Magic = 0x534D_4B49_4458_0001; // "SMKIDX" 1

    [StructLayout(LayoutKind.Sequential)]
    readonly record struct Header(long Magic, long Size, long NextOffset, long FirstTimestamp, long MaxTimestamp, long EntriesCrc);

    public static string PathFor(string logPath) => Path.ChangeExtension(logPath, ".index");

    public static void Write(Segment segment)
    {
        var entries = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(segment.Index));
        var header = new Header(Magic, segment.Size, segment.NextOffset, segment.FirstTimestamp, segment.MaxTimestamp, Crc32C.Compute(entries));
        var path = PathFor(segment.Path);
        using (var file = File.OpenHandle(path + ".tmp", FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref header, 1)), 0);
            RandomAccess.Write(file, entries, Marshal.SizeOf<Header>());
        }

        File.Move(path + ".tmp", path, overwrite: true);
    }

    /// <summary>Restores a segment from its index file; false when there is none that fits the log file.</summary>
    public static bool TryRestore(Segment segment)
    {
        var path = PathFor(segment.Path);
        if (!File.Exists(path)) return false;
        ReadOnlySpan<byte> bytes = File.ReadAllBytes(path);
        var headerSize = Marshal.SizeOf<Header>();
        if (bytes.Length < headerSize) return false;
        var header = MemoryMarshal.Read<Header>(bytes);
        var entries = bytes[headerSize..];
        if (header.Magic != Magic || header.Size != RandomAccess.GetLength(segment.File) || header.EntriesCrc != Crc32C.Compute(entries)) return false;
        segment.Restore(header.Size, header.NextOffset, header.FirstTimestamp, header.MaxTimestamp, [.. MemoryMarshal.Cast<byte, IndexEntry>(entries)]);
        return true;
    }

    public static void Delete(string logPath) => File.Delete(PathFor(logPath));
}
