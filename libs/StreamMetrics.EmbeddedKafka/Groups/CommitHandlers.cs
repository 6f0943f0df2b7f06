namespace StreamMetrics.EmbeddedKafka;

/// <summary>OffsetCommit v2-9, OffsetFetch v1-9, OffsetDelete v0.</summary>
internal static class CommitHandlers
{
    public const int MaxMetadataBytes = 4096;

    public static void Commit(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var (groupId, generation, memberId) = (r.String(), r.Int32(), r.String());
        var instanceId = v >= 7 ? r.NullableString() : null;
        if (v <= 4) r.Int64();
        var commit = OffsetCommitBody.Read(ref r, withLeaderEpoch: v >= 6, request.Broker);
        var group = generation >= 0 ? request.Broker.Groups.Find(groupId) : request.Broker.Groups.GetOrAdd(groupId);
        if (group is null) commit.Fail(ErrorCode.IllegalGeneration);
        else
        {
            lock (group.Gate)
            {
                var error = group.CheckCommit(memberId, instanceId, generation, transactional: false, request.Broker.Now);
                if (error == ErrorCode.None) error = request.Broker.Groups.Commit(group, commit.Accepted);
                if (error != ErrorCode.None) commit.Fail(error);
            }
        }

        if (v >= 3) w.Int32(0);
        commit.WriteResults(w);
        w.Tags();
    }

    public static void Fetch(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var groups = new List<(string Id, List<(string Topic, int[] Partitions)>? Topics)>();
        if (v <= 7) groups.Add((r.String(), ReadTopics(ref r)));
        else
        {
            for (var count = r.ArrayLength(); count > 0; count--)
            {
                var id = r.String();
                if (v >= 9) (_, _) = (r.NullableString(), r.Int32());
                groups.Add((id, ReadTopics(ref r)));
                r.Tags();
            }
        }

        var requireStable = v >= 7 && r.Bool();
        if (v >= 3) w.Int32(0);
        if (v >= 8) w.ArrayLength(groups.Count);
        foreach (var (id, topics) in groups)
        {
            if (v >= 8) w.String(id);
            WriteOffsets(w, v, request.Broker.Groups.Find(id), topics, requireStable);
            if (v >= 2) w.Error(ErrorCode.None);
            if (v >= 8) w.Tags();
        }

        w.Tags();
    }

    public static void Delete(Request request)
    {
        var r = request.Reader();
        var w = request.Response;
        var groupId = r.String();
        var topics = ReadTopics(ref r, tagged: false) ?? [];
        var group = request.Broker.Groups.Find(groupId);
        if (group is null)
        {
            WriteDeleted(w, ErrorCode.GroupIdNotFound, [], _ => default);
            return;
        }

        lock (group.Gate)
        {
            var subscribed = topics.Where(topic => group.IsSubscribed(topic.Topic)).Select(topic => topic.Topic).ToHashSet();
            var removed = topics.Where(topic => !subscribed.Contains(topic.Topic)).SelectMany(topic => topic.Partitions.Select(partition => new PartitionId(topic.Topic, partition)));
            var error = request.Broker.Groups.RemoveOffsets(group, [.. removed]);
            WriteDeleted(w, error, error == ErrorCode.None ? topics : [], topic => subscribed.Contains(topic) ? ErrorCode.GroupSubscribedToTopic : ErrorCode.None);
        }
    }

    static void WriteDeleted(WireWriter w, ErrorCode error, List<(string Topic, int[] Partitions)> topics, Func<string, ErrorCode> errorOf)
    {
        w.Error(error);
        w.Int32(0);
        w.ArrayLength(topics.Count);
        foreach (var (topic, partitions) in topics)
        {
            w.String(topic);
            w.ArrayLength(partitions.Length);
            foreach (var partition in partitions)
            {
                w.Int32(partition);
                w.Error(errorOf(topic));
            }
        }
    }

    static List<(string Topic, int[] Partitions)>? ReadTopics(ref WireReader r, bool tagged = true)
    {
        var count = r.ArrayLength();
        if (count < 0) return null;
        var topics = new List<(string, int[])>();
        for (; count > 0; count--)
        {
            topics.Add((r.String(), r.Int32Array()));
            if (tagged) r.Tags();
        }

        return topics;
    }

    static void WriteOffsets(WireWriter w, short v, Group? group, List<(string Topic, int[] Partitions)>? topics, bool requireStable)
    {
        if (group is null)
        {
            Write(w, v, null, topics ?? [], requireStable);
            return;
        }

        lock (group.Gate)
        {
            topics ??= [.. group.Offsets.Keys.GroupBy(key => key.Topic).Select(of => (of.Key, of.Select(key => key.Partition).ToArray()))];
            Write(w, v, group, topics, requireStable);
        }
    }

    static void Write(WireWriter w, short v, Group? group, List<(string Topic, int[] Partitions)> topics, bool requireStable)
    {
        w.ArrayLength(topics.Count);
        foreach (var (topic, partitions) in topics)
        {
            w.String(topic);
            w.ArrayLength(partitions.Length);
            foreach (var partition in partitions)
            {
                var key = new PartitionId(topic, partition);
                var unstable = requireStable && group is not null && group.HasPending(key);
                var found = group is not null && !unstable && group.Offsets.TryGetValue(key, out var stored) ? stored : new(-1, -1, "", -1);
                w.Int32(partition);
                w.Int64(found.Offset);
                if (v >= 5) w.Int32(found.LeaderEpoch);
                w.String(found.Metadata);
                w.Error(unstable ? ErrorCode.UnstableOffsetCommit : ErrorCode.None);
                w.Tags();
            }

            w.Tags();
        }
    }
}
