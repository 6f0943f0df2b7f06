using Confluent.Kafka;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>Retention and compaction, driven by hand on a log without a server where time matters, and through the client where behaviour matters.</summary>
public sealed class CleanupTests
{
    const long Start = 1_000_000;

    [Fact]
    public void Whole_segments_go_by_time_and_by_size()
    {
        using var log = new TestLog(("retention.ms", "1000"), ("segment.bytes", "200"));
        for (var i = 0; i < 10; i++) log.Append(Start + i * 100, ("k", $"{i}"));
        var before = log.Log.EndOffset;
        log.Log.ApplyRetention(Start + 1450, long.MaxValue / 2);
        Assert.Equal(before, log.Log.EndOffset);
        Assert.InRange(log.Log.StartOffset, 1, 5);
        Assert.Equal("9", log.Read()[^1].Value);

        using var sized = new TestLog(("retention.ms", "-1"), ("retention.bytes", "500"), ("segment.bytes", "200"));
        for (var i = 0; i < 20; i++) sized.Append(Start, ("k", $"{i}"));
        sized.Log.ApplyRetention(Start, long.MaxValue / 2);
        Assert.InRange(sized.Log.TotalSize(), 300, 700);
        Assert.Equal("19", sized.Read()[^1].Value);
    }

    [Fact]
    public void The_active_segment_goes_too_when_it_is_old_and_offsets_continue()
    {
        using var log = new TestLog(("retention.ms", "1000"));
        log.Append(Start, ("k", "old"));
        log.Log.ApplyRetention(Start + 5000, long.MaxValue / 2);
        Assert.Empty(log.Read());
        Assert.Equal((1, 1), (log.Log.StartOffset, log.Log.EndOffset));
        log.Append(Start + 5000, ("k", "new"));
        log.Reopen();
        Assert.Equal([(1L, "k", "new")], log.Read());
    }

    [Theory]
    [InlineData(Codecs.None)]
    [InlineData(Codecs.GZip)]
    [InlineData(Codecs.Snappy)]
    [InlineData(Codecs.Lz4)]
    [InlineData(Codecs.ZStandard)]
    public void Compaction_keeps_the_last_value_of_every_key_at_its_offset(int codec)
    {
        using var log = new TestLog(("cleanup.policy", "compact"), ("segment.bytes", "2000"), ("min.cleanable.dirty.ratio", "0.01"));
        var random = new Random(codec);
        var last = new Dictionary<string, (long, string, string)>();
        for (var i = 0; i < 200; i++)
        {
            var records = Enumerable.Range(0, 5).Select(j => ($"k{random.Next(20)}", (string?)$"{i}.{j}")).ToArray();
            var offset = log.Append(Start + i, codec, records);
            foreach (var (key, value) in records) last[key] = (offset++, key, value!);
        }

        log.Log.CompactIfDue(Start + 1000);
        var read = log.Read();
        Assert.True(read.Count < 300, $"{read.Count} records are left of 1000.");
        Assert.Equal(last.Values.Order(), read.GroupBy(r => r.Key).Select(g => g.MaxBy(r => r.Offset)).Order());
        log.Reopen();
        Assert.Equal(read, log.Read());
        Assert.Equal(1000, log.Log.EndOffset);
    }

    [Fact]
    public void Tombstones_stay_until_their_horizon()
    {
        using var log = new TestLog(("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0.01"), ("delete.retention.ms", "500"));
        log.Append(Start, ("a", "1"), ("b", "1"));
        log.Append(Start + 10, ("a", null));
        log.Append(Start + 20, ("c", "1"));
        log.Append(Start + 30, ("end", "1"));
        log.Log.CompactIfDue(Start + 100);
        Assert.Equal(["b", "a", "c", "end"], log.Read().ConvertAll(r => r.Key));
        log.Append(Start + 700, ("end", "2"));
        log.Append(Start + 800, ("end", "3"));
        log.Log.CompactIfDue(Start + 900);
        Assert.DoesNotContain("a", log.Read().ConvertAll(r => r.Key));
        Assert.Contains("b", log.Read().ConvertAll(r => r.Key));
    }

    [Fact]
    public void A_reader_gets_past_a_hole_at_the_end_of_what_was_compacted()
    {
        using var log = new TestLog(("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0.01"));
        for (var i = 0; i < 10; i++) log.Append(Start + i * 10, ("same", $"{i}"));
        log.Log.CompactIfDue(Start + 1000);
        Assert.Equal(10, log.Log.EndOffset);
        for (long from = 0; from < 10; from++) Assert.Equal("9", log.Read(from)[^1].Value);
    }

    [Fact]
    public void Aborted_data_and_old_markers_go_and_later_data_of_the_producer_stays_readable()
    {
        using var log = new TestLog(("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0.01"), ("delete.retention.ms", "500"));
        log.Transaction(7, Start, commit: false, ("a", "aborted"));
        log.Transaction(7, Start + 10, commit: true, ("a", "good"));
        log.Append(Start + 20, ("x", "1"));
        log.Append(Start + 30, ("x", "2"));
        log.Log.CompactIfDue(Start + 100);
        log.Append(Start + 800, ("x", "3"));
        log.Append(Start + 810, ("x", "4"));
        log.Log.CompactIfDue(Start + 900);
        log.Reopen();
        log.Append(Start + 1800, ("x", "5"));
        Assert.Equal(["good"], log.Read().Where(r => r.Key == "a").Select(r => r.Value));
        Assert.Empty(log.Log.View(0, committedOnly: true, 1 << 20).Aborted!);
    }

    [Fact]
    public void Compaction_stops_before_an_open_transaction()
    {
        using var log = new TestLog(("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0.01"));
        log.Append(Start, ("a", "1"));
        log.OpenTransaction(9, Start + 10, ("a", "undecided"));
        log.Append(Start + 20, ("b", "1"));
        log.Append(Start + 30, ("b", "2"));
        log.Log.CompactIfDue(Start + 1000);
        Assert.Contains((0L, "a", "1"), log.Read());
    }

    [Fact]
    public async Task A_compacted_topic_is_compacted_under_its_readers()
    {
        using var folder = new TemporaryFolder();
        await using var server = await BrokerFixture.StartAsync(folder.Path, cleanup: TimeSpan.FromMilliseconds(200));
        await BrokerFixture.CreateTopicAsync(server.BootstrapServers, "state", 1, ("cleanup.policy", "compact"), ("segment.bytes", "20000"), ("min.cleanable.dirty.ratio", "0.1"));
        using var producer = BrokerFixture.Producer(server.BootstrapServers, config => config.CompressionType = CompressionType.Snappy);
        var size = long.MaxValue;
        var started = TimeProvider.System.GetTimestamp();
        for (var round = 0; size > 100_000 && TimeProvider.System.GetElapsedTime(started) < Wait.Patience; round++)
        {
            for (var i = 0; i < 300; i++) producer.Produce("state", BrokerFixture.Message($"key-{i % 50}", $"{round:D5} {BrokerFixture.Text(300, i)}"));
            producer.Flush();
            var read = BrokerFixture.ReadAll(server.BootstrapServers, "state");
            Assert.Equal(50, read.Select(r => r.Message.Key).Distinct().Count());
            Assert.All(read.TakeLast(50), r => Assert.StartsWith($"{round:D5}", r.Message.Value, StringComparison.Ordinal));
            if (round > 20) size = SizeOfLog(Path.Combine(folder.Path, "topics", "state-0")) ?? size;
        }

        Assert.True(size <= 100_000, $"The log has {size} bytes.");
    }

    /// <summary>Null when a file went while they were looked at, as compaction has it.</summary>
    static long? SizeOfLog(string folder)
    {
        try
        {
            return Directory.GetFiles(folder, "*.log").Sum(file => new FileInfo(file).Length);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
