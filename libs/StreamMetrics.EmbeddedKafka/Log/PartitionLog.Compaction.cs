namespace StreamMetrics.EmbeddedKafka;

/// <summary>What one compaction works on; taken under the log's lock, all of it immutable afterwards.</summary>
internal sealed record CompactionPlan
{
    /// <summary>The segments to rewrite, oldest first; the first of them may have been compacted before.</summary>
    public required Segment[] Segments { get; init; }

    /// <summary>Batches below this offset were compacted before: they are filtered but no longer looked at for newer keys.</summary>
    public required long FirstDirty { get; init; }

    /// <summary>Base offset of the first segment that is not touched.</summary>
    public required long End { get; init; }

    public required AbortedTransaction[] Aborted { get; init; }

    /// <summary>Base offsets of the last batch of each producer: kept, if need be without records, for the sequence numbers in them.</summary>
    public required HashSet<long> LastBatches { get; init; }

    public required LogSettings Settings { get; init; }

    public required long Now { get; init; }
}

/// <summary>A rewritten run of segments that is to take their place.</summary>
internal sealed record CompactedRun(Segment[] Old, long Next, CleanedSegment? New, List<long> DroppedAborts);

internal sealed partial class PartitionLog
{
    /// <summary>Everything below has been compacted; starts again at 0 after a restart, which costs one full pass.</summary>
    long _firstDirty;

    /// <summary>Compacts the log when the topic wants it and enough of it is new. One thread at a time calls this.</summary>
    public void CompactIfDue(long now)
    {
        if (PlanCompaction(now) is not { } plan) return;
        var before = TotalSize();
        using var cleaner = new LogCleaner(_directory, plan);
        try
        {
            foreach (var run in cleaner.Clean())
            {
                using (run.New)
                {
                    if (!Swap(run)) return;
                }
            }
        }
        catch (Exception e) when (_closed && e is ObjectDisposedException or IOException)
        {
            // The topic was deleted, or the broker stops; what was half written is removed with it or at the next start.
            return;
        }

        lock (_gate) _firstDirty = cleaner.CleanedTo;
        var after = TotalSize();
        Log.Compacted(_logger, Topic, Partition, before, after);
    }

    CompactionPlan? PlanCompaction(long now)
    {
        lock (_gate)
        {
            if (_closed || !Settings.Compact) return null;
            var longestOpen = Math.Min(Settings.SegmentMs, Settings.MaxCompactionLagMs);
            if (Active.Size > 0 && now - Active.FirstTimestamp >= longestOpen) Roll();

            // Neither undecided transactions nor records younger than the lag may be touched.
            var limit = Math.Min(LastStable(), Active.BaseOffset);
            var count = 0;
            long clean = 0, dirty = 0, oldestDirty = long.MaxValue;
            for (; count < _segments.Length - 1; count++)
            {
                var segment = _segments[count];
                if (segment.NextOffset > limit || (Settings.MinCompactionLagMs > 0 && segment.MaxTimestamp > now - Settings.MinCompactionLagMs)) break;
                if (segment.BaseOffset < _firstDirty)
                {
                    clean += segment.Size;
                    continue;
                }

                dirty += segment.Size;
                oldestDirty = Math.Min(oldestDirty, segment.FirstTimestamp);
            }

            var overdue = oldestDirty != long.MaxValue && now - oldestDirty >= Settings.MaxCompactionLagMs;
            if (dirty == 0 || (!overdue && dirty < (clean + dirty) * Settings.MinCleanableDirtyRatio)) return null;
            return new()
            {
                Segments = _segments[..count], FirstDirty = _firstDirty, End = _segments[count].BaseOffset, Aborted = [.. _producers.Aborted],
                LastBatches = _producers.LastBatchOffsets(), Settings = Settings, Now = now,
            };
        }
    }

    /// <summary>Puts a rewritten run into place; false when the log has changed below it (closed, or retention came first).</summary>
    bool Swap(CompactedRun run)
    {
        lock (_gate)
        {
            var at = Array.IndexOf(_segments, run.Old[0]);
            if (_closed || at < 0)
            {
                run.New?.Discard();
                return false;
            }

            ForgetAborted(run.DroppedAborts);
            foreach (var old in run.Old) old.Dispose();
            Segment[] replacement = [];
            if (run.New is null)
            {
                foreach (var old in run.Old) old.Delete();
            }
            else
            {
                replacement = [run.New.Install(_directory, run.Next)];
            }

            Volatile.Write(ref _segments, [.. _segments[..at], .. replacement, .. _segments[(at + run.Old.Length)..]]);
            return true;
        }
    }

    /// <summary>
    /// An aborted entry whose marker is gone would make clients drop everything later of that producer, so it goes first, from the snapshots as well. Their
    /// data went in an earlier round, so nothing needs the entries any more.
    /// </summary>
    void ForgetAborted(List<long> markers)
    {
        if (markers.Count == 0) return;
        _producers.ForgetAborted(markers);
        ProducerSnapshot.Write(_directory, _endOffset, _producers);
        ProducerSnapshot.DeleteAllBut(_directory, keep: 1);
    }
}
