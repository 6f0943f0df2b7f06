namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>Corners of the log that a client reaches only by chance.</summary>
public sealed class PartitionLogTests
{
    const long Start = 1_000_000;
    const long Day = 86_400_000;

    [Fact]
    public void Every_aborted_transaction_of_the_returned_batches_is_named_from_whichever_offset_and_size_a_fetch_starts()
    {
        using var log = new TestLog();
        var value = BrokerFixture.Text(300, 1);
        for (var producer = 0; producer < 300; producer++) log.Transaction(producer, Start, commit: producer % 3 == 0, ($"k{producer}", value));
        foreach (var maxBytes in new[] { 0, 1, 500, 5000, 8192, 20_000, 60_000 })
        {
            for (var from = 0L; from < log.Log.EndOffset; from += 7)
            {
                using var output = new WireWriter();
                var view = log.Log.View(from, committedOnly: true, maxBytes);
                log.Log.CopyBatches(ref view, output, maxBytes, wholeFirst: true);
                var named = view.Aborted!.ConvertAll(aborted => aborted.ProducerId).ToHashSet();
                for (ReadOnlySpan<byte> rest = output.Written; !rest.IsEmpty; rest = rest[BatchHeader.Read(rest).TotalSize..])
                {
                    var header = BatchHeader.Read(rest);
                    if (!header.IsControl && header.ProducerId % 3 != 0)
                        Assert.True(named.Contains(header.ProducerId), $"Fetch at {from} of {maxBytes} bytes returns the aborted batch at {header.BaseOffset} without saying so.");
                }
            }
        }
    }

    [Fact]
    public void Old_records_do_not_get_a_segment_each()
    {
        using var log = new TestLog(("segment.ms", $"{Day}"));
        for (var i = 0; i < 50; i++) log.Append(Start + i, now: Start + 30 * Day, ("k", "v"));
        Assert.Single(Directory.GetFiles(log.Folder, "*.log"));
        log.Append(Start + Day, now: Start + 30 * Day, ("k", "v"));
        Assert.Equal(2, Directory.GetFiles(log.Folder, "*.log").Length);
    }

    [Fact]
    public void A_producer_of_old_records_is_known_after_a_kill_as_long_as_any_other()
    {
        using var log = new TestLog();
        Assert.Equal(0, log.Sequenced(7, 0).BaseOffset);
        using var killed = log.CopyAsAfterKill();
        killed.Log.ApplyRetention(TestLog.OpenedAt + 1000, Day);
        Assert.Equal((ErrorCode.None, 0), (killed.Sequenced(7, 0).Error, killed.Sequenced(7, 0).BaseOffset));
        Assert.Equal(1, killed.Log.EndOffset);
    }

    [Fact]
    public void What_a_failed_write_left_behind_does_not_count_when_the_segment_is_complete()
    {
        using var log = new TestLog(("segment.bytes", "200"));
        log.Append(Start, ("k", "first"));
        // Half a batch, as a full disk leaves it: the size in memory has not moved.
        using (var file = new FileStream(Directory.GetFiles(log.Folder, "*.log")[0], FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) file.Write(new byte[150]);
        log.Append(Start, ("k", BrokerFixture.Text(150, 2)));
        Assert.Equal(2, Directory.GetFiles(log.Folder, "*.log").Length);
        using var killed = log.CopyAsAfterKill(folder =>
        {
            foreach (var index in Directory.GetFiles(folder, "*.index")) File.Delete(index);
        });
        Assert.Equal(2, killed.Read().Count);
    }

    [Fact]
    public void Log_append_time_never_goes_back()
    {
        using var log = new TestLog(("message.timestamp.type", "LogAppendTime"), ("segment.bytes", "200"));
        long last = 0;
        foreach (var now in new[] { 5000L, 6000, 4000, 3000, 6500, 100 })
        {
            last = Appended(log, now, last);
            if (now == 3000) log.Reopen();
        }

        static long Appended(TestLog log, long now, long last)
        {
            using var builder = new BatchBuilder();
            builder.Start(1).Add("k"u8, new byte[100]);
            var batch = builder.Finish();
            var time = log.Log.Append(batch, BatchHeader.Read(batch), now).LogAppendTime;
            Assert.True(time >= last, $"{time} after {last}");
            return time;
        }
    }

    [Fact]
    public void An_emptied_batch_of_a_finished_transaction_opens_none_when_producers_are_read_from_the_log()
    {
        using var log = new TestLog(("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0.01"), ("delete.retention.ms", "10"));
        log.Sequenced(7, 0, transactional: true);
        using (var builder = new BatchBuilder()) log.Log.AppendMarker(builder, 7, 0, commit: true, 1000);
        log.Append(Start + 10, ("k", "new"));
        log.Append(Start + 20, ("end", "1"));
        for (var round = 1; round <= 4; round++)
        {
            log.Log.CompactIfDue(Start + round * 1000);
            log.Append(Start + round * 1000 + 500, ("end", $"{round}"));
            log.Append(Start + round * 1000 + 501, ("end", $"{round}"));
        }

        // Without the snapshots every batch is looked at again.
        using var killed = log.CopyAsAfterKill(folder =>
        {
            foreach (var snapshot in Directory.GetFiles(folder, "*.snapshot")) File.Delete(snapshot);
        });
        Assert.DoesNotContain(killed.Read(), record => record.Offset == 0);
        Assert.False(killed.Log.HasOpenTransaction(7));
        Assert.Equal(killed.Log.EndOffset, killed.Log.LastStableOffset);
    }

    [Fact]
    public void A_complete_segment_has_been_handed_to_the_disk()
    {
        using var log = new TestLog(("segment.bytes", "200"));
        for (var i = 0; i < 6; i++) log.Append(Start, ("k", BrokerFixture.Text(100, i)));
        Assert.Equal(0, log.Log.UnflushedBytesOfCompleteSegments);
    }
}
