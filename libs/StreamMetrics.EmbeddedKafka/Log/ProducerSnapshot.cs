using System.Globalization;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// The producer state of a partition at an offset, on disk: {magic, CRC of the rest, producers, aborted transactions}. Written when a segment is
/// complete and when the log closes, so that a start reads only the batches after it.
/// </summary>
internal static class ProducerSnapshot
{
    const int Magic = 0x534D_5001;
    const int HeaderBytes = 8;

    public static void Write(string directory, long offset, ProducerStates producers)
    {
        using var w = new WireWriter();
        w.Int32(Magic);
        w.Int32(0);
        w.Int32(producers.Entries.Count);
        foreach (var entry in producers.Entries)
        {
            w.Int64(entry.ProducerId);
            w.Int16(entry.Epoch);
            w.Int64(entry.LastTimestamp);
            w.Int64(entry.TransactionStart);
            w.Int32(entry.BatchCount);
            for (var i = 0; i < entry.BatchCount; i++)
            {
                w.Int32(entry[i].FirstSequence);
                w.Int32(entry[i].LastSequence);
                w.Int64(entry[i].BaseOffset);
                w.Int64(entry[i].Timestamp);
            }
        }

        w.Int32(producers.Aborted.Count);
        foreach (var aborted in producers.Aborted)
        {
            w.Int64(aborted.ProducerId);
            w.Int64(aborted.FirstOffset);
            w.Int64(aborted.MarkerOffset);
        }

        w.PatchInt32(4, (int)Crc32C.Compute(w.Written[HeaderBytes..]));
        var path = PathFor(directory, offset);
        File.WriteAllBytes(path + ".tmp", w.Written);
        File.Move(path + ".tmp", path, overwrite: true);
    }

    /// <summary>Restores the newest valid snapshot at or below the end of the log. Returns its offset; 0 when there is none.</summary>
    public static long RestoreNewest(string directory, long endOffset, ProducerStates into)
    {
        long restored = -1;
        foreach (var (path, offset) in Newest(directory))
        {
            // One beyond the end belongs to a tail that a crash has torn off.
            if (offset > endOffset) File.Delete(path);
            else if (restored < 0 && TryRead(path, into)) restored = offset;
        }

        return Math.Max(restored, 0);
    }

    public static void DeleteAllBut(string directory, int keep)
    {
        foreach (var (path, _) in Newest(directory))
        {
            if (keep-- <= 0) File.Delete(path);
        }
    }

    static string PathFor(string directory, long offset) =>
        Path.Combine(directory, offset.ToString("D20", CultureInfo.InvariantCulture) + ".snapshot");

    static List<(string Path, long Offset)> Newest(string directory)
    {
        var found = new List<(string Path, long Offset)>();
        foreach (var path in Directory.EnumerateFiles(directory, "*.snapshot"))
        {
            found.Add((path, long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture)));
        }

        found.Sort(static (a, b) => b.Offset.CompareTo(a.Offset));
        return found;
    }

    static bool TryRead(string path, ProducerStates into)
    {
        var bytes = File.ReadAllBytes(path);
        var r = new WireReader(bytes, flexible: false);
        if (bytes.Length < HeaderBytes || r.Int32() != Magic || (uint)r.Int32() != Crc32C.Compute(bytes.AsSpan(HeaderBytes))) return false;
        for (var count = r.Int32(); count > 0; count--)
        {
            var entry = new ProducerEntry { ProducerId = r.Int64(), Epoch = r.Int16() };
            var lastTimestamp = r.Int64();
            entry.TransactionStart = r.Int64();
            for (var batches = r.Int32(); batches > 0; batches--) entry.Remember(new(r.Int32(), r.Int32(), r.Int64(), r.Int64()));
            entry.LastTimestamp = lastTimestamp;
            into.Restore(entry);
        }

        for (var count = r.Int32(); count > 0; count--) into.Aborted.Add(new(r.Int64(), r.Int64(), r.Int64()));
        return true;
    }
}
