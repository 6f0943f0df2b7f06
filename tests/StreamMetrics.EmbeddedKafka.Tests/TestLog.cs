using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>A partition log without a server, with times given by the test.</summary>
sealed class TestLog : IDisposable
{
    readonly TemporaryFolder _folder = new();
    readonly LogSettings _settings;

    public TestLog(params (string Key, string Value)[] settings)
        : this(ConfigTable.Parse(settings.ToDictionary(s => s.Key, s => s.Value)))
    {
        Log = Open();
    }

    TestLog(LogSettings settings)
    {
        _settings = settings;
        Log = NewLog();
    }

    public PartitionLog Log { get; private set; }

    public string Folder => Path.Combine(_folder.Path, "log");

    /// <summary>The clock's time whenever the log is opened.</summary>
    public const long OpenedAt = 1_700_000_000_000;

    public long Append(long time, params (string Key, string? Value)[] records) => Append(time, Codecs.None, records);

    /// <summary>Records that carry another time than that of the append.</summary>
    public long Append(long time, long now, params (string Key, string? Value)[] records)
    {
        using var builder = new BatchBuilder();
        return Append(Build(builder, time, records).Finish(), now);
    }

    public long Append(long time, int codec, (string Key, string? Value)[] records)
    {
        using var builder = new BatchBuilder();
        var batch = Build(builder, time, records).Finish();
        if (codec != Codecs.None) batch = Compress(batch, codec);
        return Append(batch, time);
    }

    public long OpenTransaction(long producerId, long time, params (string Key, string? Value)[] records)
    {
        using var builder = new BatchBuilder();
        return Append(Build(builder, time, records).Finish(producerId, 0, BatchHeader.TransactionalBit), time);
    }

    public void Transaction(long producerId, long time, bool commit, params (string Key, string? Value)[] records)
    {
        OpenTransaction(producerId, time, records);
        using var builder = new BatchBuilder();
        Log.AppendMarker(builder, producerId, 0, commit, time);
    }

    /// <summary>One record of an idempotent producer.</summary>
    public AppendResult Sequenced(long producerId, int sequence, bool transactional = false)
    {
        using var builder = new BatchBuilder();
        var batch = Build(builder, 1000, [("k", $"{sequence}")]).Finish(producerId, 0, transactional ? BatchHeader.TransactionalBit : (short)0);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(batch[53..], sequence);
        BatchHeader.RenewCrc(batch);
        return Log.Append(batch, BatchHeader.Read(batch), 1000, verified: true);
    }

    /// <summary>A log on a copy of this one's files, made while it is open, with what the test does to the files first.</summary>
    public TestLog CopyAsAfterKill(Action<string>? damage = null, bool open = true)
    {
        var copy = new TestLog(_settings);
        Directory.CreateDirectory(copy.Folder);
        foreach (var file in Directory.GetFiles(Folder)) File.Copy(file, Path.Combine(copy.Folder, Path.GetFileName(file)));
        damage?.Invoke(copy.Folder);
        if (open) copy.Log = copy.Open();
        return copy;
    }

    /// <summary>Reads as a consumer does: fetch by fetch, from where the last one ended.</summary>
    public List<(long Offset, string Key, string Value)> Read(long from = 0)
    {
        var read = new List<(long, string, string)>();
        from = Math.Max(from, Log.StartOffset);
        while (from < Log.EndOffset)
        {
            using var output = new WireWriter();
            var view = Log.View(from, committedOnly: false, 1000);
            var size = Log.CopyBatches(ref view, output, 1000, wholeFirst: true);
            Assert.True(size > 0, $"Nothing at {from} below the end {Log.EndOffset}: a consumer would wait for ever.");
            for (ReadOnlySpan<byte> rest = output.Written; !rest.IsEmpty;)
            {
                var header = BatchHeader.Read(rest);
                Assert.True(BatchHeader.CrcMatches(rest[..header.TotalSize], header.Crc));
                if (!header.IsControl) AddRecords(rest, header, from, read);
                from = header.LastOffset + 1;
                rest = rest[header.TotalSize..];
            }
        }

        return read;
    }

    public void Reopen()
    {
        Log.Dispose();
        Log = Open();
    }

    public void Dispose()
    {
        Log.Dispose();
        _folder.Dispose();
    }

    PartitionLog NewLog() => new("test", 0, Folder, _settings, NullLogger.Instance);

    static BatchBuilder Build(BatchBuilder builder, long time, (string Key, string? Value)[] records)
    {
        builder.Start(time);
        foreach (var (key, value) in records) builder.Add(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value ?? ""), tombstone: value is null);
        return builder;
    }

    static byte[] Compress(ReadOnlySpan<byte> batch, int codec)
    {
        var header = BatchHeader.Read(batch);
        using var w = new WireWriter();
        w.Raw(batch[..BatchHeader.Size]);
        Codecs.Compress(codec, batch[BatchHeader.Size..], w);
        var compressed = w.Written.ToArray();
        BatchHeader.Write(compressed, 0, compressed.Length, (short)codec, header.LastOffsetDelta, header.BaseTimestamp, header.MaxTimestamp, -1, -1, -1, header.RecordCount);
        BatchHeader.RenewCrc(compressed);
        return compressed;
    }

    static void AddRecords(ReadOnlySpan<byte> batch, BatchHeader header, long from, List<(long, string, string)> into)
    {
        using var reader = new RecordReader(batch, header);
        while (reader.TryRead(out var record))
        {
            var offset = header.BaseOffset + record.OffsetDelta;
            if (offset >= from) into.Add((offset, Encoding.UTF8.GetString(record.Key), Encoding.UTF8.GetString(record.Value)));
        }

        Assert.False(reader.IsCorrupt);
    }

    long Append(Span<byte> batch, long time)
    {
        var result = Log.Append(batch, BatchHeader.Read(batch), time, verified: true);
        Assert.Equal(ErrorCode.None, result.Error);
        return result.BaseOffset;
    }

    PartitionLog Open()
    {
        var log = NewLog();
        log.Open(0, OpenedAt);
        return log;
    }
}
