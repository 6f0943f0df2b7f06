using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// All groups and their offsets, kept in memory and in <c>__consumer_offsets</c>, written before a request is answered. Order of locks: transaction,
/// group, log.
/// </summary>
internal sealed class GroupCoordinator(PartitionLog log, TimeProvider time, EmbeddedKafkaOptions options, ILogger logger) : IDisposable
{
    readonly ConcurrentDictionary<string, Group> _groups = new();
    readonly Lock _writeGate = new();
    readonly BatchBuilder _batch = new();
    readonly WireWriter _key = new(256);
    readonly WireWriter _value = new(1024);

    public ILogger Logger { get; } = logger;

    public PartitionLog OffsetsLog { get; } = log;

    public int InitialRebalanceDelayMs { get; } = (int)options.GroupInitialRebalanceDelay.TotalMilliseconds;

    public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public ICollection<Group> All => _groups.Values;

    public Group? Find(string id) => _groups.GetValueOrDefault(id);

    public Group GetOrAdd(string id) => _groups.GetOrAdd(id, static (key, self) => new(key, self), this);

    /// <summary>Reads the log: what was committed, what was pending, who was a member.</summary>
    public void Load()
    {
        OffsetsLog.ForEachBatch(Replay);
        foreach (var group in _groups.Values) group.Restored();
    }

    /// <summary>Forgets what a start finds of topics that are gone: a crash came between the end of the topic and that of its offsets.</summary>
    public void ForgetMissing(Func<string, bool> exists)
    {
        var topics = new HashSet<string>();
        foreach (var group in _groups.Values)
        {
            foreach (var partition in group.Offsets.Keys) topics.Add(partition.Topic);
            foreach (var pending in group.PendingOffsets.Values) topics.UnionWith(pending.Keys.Select(partition => partition.Topic));
        }

        foreach (var topic in topics)
        {
            if (!exists(topic)) TopicDeleted(topic);
        }
    }

    /// <summary>Writes a group's members and generation; called under the group's lock.</summary>
    public void Save(Group group)
    {
        lock (_writeGate)
        {
            _batch.Start(Now);
            StartRecord();
            GroupRecords.GroupKey(_key, group.Id);
            GroupRecords.GroupValue(_value, group, Now);
            _batch.Add(_key.Written, _value.Written);
            Write(_batch.Finish());
        }
    }

    /// <summary>Commits offsets; called under the group's lock. With a producer id they stay pending until its transaction ends.</summary>
    public ErrorCode Commit(Group group, List<(PartitionId Partition, CommittedOffset Offset)> offsets, long producerId = -1, short producerEpoch = -1)
    {
        if (offsets.Count == 0) return ErrorCode.None;
        lock (_writeGate)
        {
            _batch.Start(Now);
            foreach (var (partition, offset) in offsets)
            {
                StartRecord();
                GroupRecords.OffsetKey(_key, group.Id, partition);
                GroupRecords.OffsetValue(_value, offset);
                _batch.Add(_key.Written, _value.Written);
            }

            var error = Write(_batch.Finish(producerId, producerEpoch, producerId >= 0 ? BatchHeader.TransactionalBit : (short)0));
            if (error != ErrorCode.None) return error;
        }

        foreach (var (partition, offset) in offsets) Apply(group, partition, offset, producerId);
        return ErrorCode.None;
    }

    /// <summary>The marker of a producer's transaction has been written to the offsets log: its pending offsets count, or are dropped.</summary>
    public void TransactionEnded(long producerId, bool commit)
    {
        foreach (var group in _groups.Values)
        {
            lock (group.Gate)
            {
                if (!group.PendingOffsets.Remove(producerId, out var pending) || !commit) continue;
                foreach (var (partition, offset) in pending) group.Offsets[partition] = offset;
            }
        }
    }

    /// <summary>Removes offsets by tombstones; called under the group's lock. What cannot be written stays.</summary>
    public ErrorCode RemoveOffsets(Group group, List<PartitionId> partitions, bool andGroup = false)
    {
        lock (_writeGate)
        {
            _batch.Start(Now);
            foreach (var partition in partitions)
            {
                if (!group.Offsets.ContainsKey(partition) && !group.HasPending(partition)) continue;
                StartRecord();
                GroupRecords.OffsetKey(_key, group.Id, partition);
                _batch.Add(_key.Written, default, tombstone: true);
            }

            if (andGroup)
            {
                StartRecord();
                GroupRecords.GroupKey(_key, group.Id);
                _batch.Add(_key.Written, default, tombstone: true);
            }

            var error = _batch.IsEmpty ? ErrorCode.None : Write(_batch.Finish());
            if (error != ErrorCode.None) return error;
        }

        foreach (var partition in partitions) group.Forget(partition);
        return ErrorCode.None;
    }

    public ErrorCode Delete(string id)
    {
        if (Find(id) is not { } group) return ErrorCode.GroupIdNotFound;
        lock (group.Gate)
        {
            // A member whose time is up no longer counts, whether or not the timer has come round to it.
            group.Tick(Now);
            var error = group.CheckDeletion();
            if (error == ErrorCode.None) error = RemoveOffsets(group, [.. group.Offsets.Keys], andGroup: true);
            if (error != ErrorCode.None) return error;
            group.Kill();
            _groups.TryRemove(id, out _);
            return ErrorCode.None;
        }
    }

    /// <summary>A topic is gone, and with it every group's offsets of it.</summary>
    public void TopicDeleted(string topic)
    {
        foreach (var group in _groups.Values)
        {
            lock (group.Gate)
            {
                var gone = group.Offsets.Keys.Concat(group.PendingOffsets.Values.SelectMany(pending => pending.Keys)).Where(partition => partition.Topic == topic).Distinct().ToList();
                if (gone.Count > 0) RemoveOffsets(group, gone);
            }
        }
    }

    /// <summary>Handles the deadlines of every group.</summary>
    public void Tick()
    {
        var now = Now;
        foreach (var group in _groups.Values)
        {
            lock (group.Gate) group.Tick(now);
        }
    }

    /// <summary>Deletes groups that have had no member and no commit for the retention time.</summary>
    public void ExpireGroups()
    {
        var before = Now - (long)options.OffsetsRetention.TotalMilliseconds;
        foreach (var group in _groups.Values)
        {
            lock (group.Gate)
            {
                if (group.State != GroupState.Empty || group.EmptySince > before || group.PendingOffsets.Count > 0) continue;
                if (group.Offsets.Values.Any(offset => offset.CommitTimestamp > before)) continue;

                // Under the same lock: a commit that came in between would be answered and lost.
                Delete(group.Id);
            }
        }
    }

    public void Dispose()
    {
        _batch.Dispose();
        _key.Dispose();
        _value.Dispose();
    }

    static void Apply(Group group, PartitionId partition, in CommittedOffset offset, long producerId)
    {
        if (producerId < 0)
        {
            group.Offsets[partition] = offset;
            return;
        }

        if (!group.PendingOffsets.TryGetValue(producerId, out var pending)) group.PendingOffsets[producerId] = pending = [];
        pending[partition] = offset;
    }

    void StartRecord()
    {
        _key.Truncate(0);
        _value.Truncate(0);
    }

    ErrorCode Write(Span<byte> batch) => OffsetsLog.Append(batch, BatchHeader.Read(batch), Now, verified: true).Error;

    void Replay(ReadOnlySpan<byte> batch, in BatchHeader header)
    {
        if (header.IsControl)
        {
            if (header.RecordCount > 0) TransactionEnded(header.ProducerId, PartitionLog.IsCommitMarker(batch, header));
            return;
        }

        using var reader = new RecordReader(batch, header);
        while (reader.TryRead(out var record))
        {
            var (kind, groupId, partition) = GroupRecords.ReadKey(record.Key);
            if (kind == 0) continue;
            var group = GetOrAdd(groupId);
            if (kind == 1 && record.HasValue) Apply(group, partition, GroupRecords.ReadOffset(record.Value), header.IsTransactional ? header.ProducerId : -1);
            else if (kind == 1) group.Forget(partition);
            else if (record.HasValue) GroupRecords.ReadGroup(record.Value, group, Now);
            else _groups.TryRemove(groupId, out _);
        }
    }
}
