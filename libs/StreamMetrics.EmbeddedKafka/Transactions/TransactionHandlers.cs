namespace StreamMetrics.EmbeddedKafka;

/// <summary>InitProducerId v0-4, AddPartitionsToTxn v0-3, AddOffsetsToTxn v0-3, TxnOffsetCommit v0-3, EndTxn v0-3.</summary>
internal static class TransactionHandlers
{
    static readonly PartitionId OffsetsPartition = new(TopicRegistry.Offsets, 0);

    public static void InitProducerId(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var (id, timeout) = (r.NullableString(), r.Int32());
        var (producerId, epoch) = v >= 3 ? (r.Int64(), r.Int16()) : (-1, (short)-1);
        var (error, newId, newEpoch) = id is null
            ? (ErrorCode.None, request.Broker.ProducerIds.Next(), (short)0)
            : request.Broker.Transactions.Init(id, timeout, producerId, epoch);
        w.Int32(0);
        w.Error(Fenced(error, knownFrom: 4, v));
        w.Int64(newId);
        w.Int16(newEpoch);
        w.Tags();
    }

    public static void AddPartitions(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var (id, producerId, epoch) = (r.String(), r.Int64(), r.Int16());
        var topics = new List<(string Name, int[] Partitions)>();
        for (var count = r.ArrayLength(); count > 0; count--)
        {
            topics.Add((r.String(), r.Int32Array()));
            r.Tags();
        }

        var all = topics.SelectMany(topic => topic.Partitions.Select(partition => new PartitionId(topic.Name, partition))).ToList();
        var unknown = all.Where(partition => !IsWritable(request.Broker, partition)).ToHashSet();
        // One unknown partition keeps the others from being added (Kafka: OPERATION_NOT_ATTEMPTED).
        var error = unknown.Count > 0 ? ErrorCode.OperationNotAttempted : Fenced(request.Broker.Transactions.Add(id, producerId, epoch, all), knownFrom: 2, v);
        w.Int32(0);
        w.ArrayLength(topics.Count);
        foreach (var (name, partitions) in topics)
        {
            w.String(name);
            w.ArrayLength(partitions.Length);
            foreach (var partition in partitions)
            {
                w.Int32(partition);
                w.Error(unknown.Contains(new(name, partition)) ? ErrorCode.UnknownTopicOrPartition : error);
                w.Tags();
            }

            w.Tags();
        }

        w.Tags();
    }

    public static void AddOffsets(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var (id, producerId, epoch) = (r.String(), r.Int64(), r.Int16());
        w.Int32(0);
        w.Error(Fenced(request.Broker.Transactions.Add(id, producerId, epoch, [OffsetsPartition]), knownFrom: 2, v));
        w.Tags();
    }

    public static void CommitOffsets(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var (id, groupId, producerId, epoch) = (r.String(), r.String(), r.Int64(), r.Int16());
        var (generation, memberId, instanceId) = v >= 3 ? (r.Int32(), r.String(), r.NullableString()) : (-1, "", null);
        var commit = OffsetCommitBody.Read(ref r, withLeaderEpoch: v >= 2, request.Broker);
        var error = CommitOffsets(request, commit, id, groupId, producerId, epoch, generation, memberId, instanceId);
        if (error != ErrorCode.None) commit.Fail(error);
        w.Int32(0);
        commit.WriteResults(w);
        w.Tags();
    }

    public static void End(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var (id, producerId, epoch, commit) = (r.String(), r.Int64(), r.Int16(), r.Bool());
        w.Int32(0);
        w.Error(Fenced(request.Broker.Transactions.End(id, producerId, epoch, commit), knownFrom: 2, v));
        w.Tags();
    }

    static ErrorCode CommitOffsets(Request request, OffsetCommitBody commit, string id, string groupId, long producerId, short epoch, int generation,
        string memberId, string? instanceId)
    {
        if (request.Broker.Transactions.Find(id) is not { } state) return ErrorCode.InvalidProducerIdMapping;
        var groups = request.Broker.Groups;
        lock (state.Gate)
        {
            var error = TransactionCoordinator.CheckOpen(state, producerId, epoch, OffsetsPartition);
            if (error != ErrorCode.None) return error;
            var group = generation >= 0 ? groups.Find(groupId) : groups.GetOrAdd(groupId);
            if (group is null) return ErrorCode.IllegalGeneration;
            lock (group.Gate)
            {
                error = group.CheckCommit(memberId, instanceId, generation, transactional: true, request.Broker.Now);
                return error != ErrorCode.None ? error : groups.Commit(group, commit.Accepted, producerId, epoch);
            }
        }
    }

    static bool IsWritable(Broker broker, PartitionId partition) =>
        broker.Topics.Find(partition.Topic) is { IsInternal: false } topic && topic.Find(partition.Partition) is not null;

    /// <summary>PRODUCER_FENCED is unknown to older versions; they are told INVALID_PRODUCER_EPOCH.</summary>
    static ErrorCode Fenced(ErrorCode error, short knownFrom, short version) =>
        error == ErrorCode.ProducerFenced && version < knownFrom ? ErrorCode.InvalidProducerEpoch : error;
}
