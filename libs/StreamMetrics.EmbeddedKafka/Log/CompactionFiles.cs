namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// The files of a compaction and what a start does about an interrupted one. A cleaned segment is written as <c>.cleaned</c>, then renamed to
/// <c>.swap</c> (from here on it counts), then the old segments are deleted, then it takes the name of the first of them.
/// </summary>
internal static class CompactionFiles
{
    public const string Cleaned = ".cleaned";
    public const string Swap = ".swap";

    public static void FinishInterrupted(string directory)
    {
        foreach (var file in Directory.EnumerateFiles(directory, "*" + Cleaned)) File.Delete(file);
        foreach (var file in Directory.EnumerateFiles(directory, "*.tmp")) File.Delete(file);
        foreach (var swap in Directory.EnumerateFiles(directory, "*" + Swap)) FinishSwap(directory, swap);
    }

    /// <summary>The name is {base}-{next}.swap: segments with a base offset in [base, next) are replaced by it.</summary>
    public static void FinishSwap(string directory, string swap)
    {
        var name = Path.GetFileNameWithoutExtension(swap).Split('-');
        var (first, next) = (long.Parse(name[0], null), long.Parse(name[1], null));
        foreach (var log in Directory.EnumerateFiles(directory, "*.log"))
        {
            var offset = long.Parse(Path.GetFileNameWithoutExtension(log), null);
            if (offset < first || offset >= next) continue;
            SegmentIndexFile.Delete(log);
            if (offset > first) File.Delete(log);
        }

        File.Move(swap, Path.Combine(directory, Segment.FileName(first)), overwrite: true);
    }
}
