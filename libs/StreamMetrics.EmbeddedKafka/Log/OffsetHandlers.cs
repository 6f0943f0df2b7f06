namespace StreamMetrics.EmbeddedKafka;

/// <summary>ListOffsets v1-8, OffsetForLeaderEpoch v2-4, DeleteRecords v0-2.</summary>
internal static class OffsetHandlers
{
    /// <summary>Special timestamps of ListOffsets.</summary>
    const long Latest = -1, Earliest = -2, MaxTimestamp = -3, EarliestLocal = -4;

    public static void List(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        r.Int32();
        var committedOnly = v >= 2 && r.Byte() == 1;
        if (v >= 2) w.Int32(0);
        var topics = r.ArrayLength();
        w.ArrayLength(topics);
        for (; topics > 0; topics--)
        {
            var name = r.StringBytes();
            var topic = request.Broker.Topics.Find(name);
            w.StringBytes(name);
            var partitions = r.ArrayLength();
            w.ArrayLength(partitions);
            for (; partitions > 0; partitions--)
            {
                var index = r.Int32();
                var epoch = v >= 4 ? r.Int32() : -1;
                var timestamp = r.Int64();
                r.Tags();
                var log = topic?.Find(index);
                var error = log is null ? ErrorCode.UnknownTopicOrPartition : epoch > 0 ? ErrorCode.UnknownLeaderEpoch : ErrorCode.None;
                var (offset, found) = error == ErrorCode.None ? Find(log!, timestamp, committedOnly) : (-1, -1);
                w.Int32(index);
                w.Error(error);
                w.Int64(found);
                w.Int64(offset);
                if (v >= 4) w.Int32(error == ErrorCode.None ? 0 : -1);
                w.Tags();
            }

            r.Tags();
            w.Tags();
        }

        w.Tags();
    }

    public static void ForLeaderEpoch(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        if (v >= 3) r.Int32();
        w.Int32(0);
        var topics = r.ArrayLength();
        w.ArrayLength(topics);
        for (; topics > 0; topics--)
        {
            var name = r.StringBytes();
            var topic = request.Broker.Topics.Find(name);
            w.StringBytes(name);
            var partitions = r.ArrayLength();
            w.ArrayLength(partitions);
            for (; partitions > 0; partitions--)
            {
                var (index, current, epoch) = (r.Int32(), r.Int32(), r.Int32());
                r.Tags();
                var log = topic?.Find(index);
                // There is one leader epoch for ever, 0, so nothing is ever truncated after it.
                w.Error(log is null ? ErrorCode.UnknownTopicOrPartition : current > 0 || epoch > 0 ? ErrorCode.UnknownLeaderEpoch : ErrorCode.None);
                w.Int32(index);
                w.Int32(log is null ? -1 : 0);
                w.Int64(log?.EndOffset ?? -1);
                w.Tags();
            }

            r.Tags();
            w.Tags();
        }

        w.Tags();
    }

    public static void DeleteRecords(Request request)
    {
        var r = request.Reader();
        var w = request.Response;
        w.Int32(0);
        var topics = r.ArrayLength();
        w.ArrayLength(topics);
        for (; topics > 0; topics--)
        {
            var name = r.StringBytes();
            var topic = request.Broker.Topics.Find(name);
            w.StringBytes(name);
            var partitions = r.ArrayLength();
            w.ArrayLength(partitions);
            for (; partitions > 0; partitions--)
            {
                var (index, offset) = (r.Int32(), r.Int64());
                r.Tags();
                var error = Delete(request, topic, topic?.Find(index), ref offset);
                w.Int32(index);
                w.Int64(error == ErrorCode.None ? offset : -1);
                w.Error(error);
                w.Tags();
            }

            r.Tags();
            w.Tags();
        }

        w.Tags();
    }

    static (long Offset, long Timestamp) Find(PartitionLog log, long timestamp, bool committedOnly) => timestamp switch
    {
        Latest => (committedOnly ? log.LastStableOffset : log.EndOffset, -1),
        Earliest or EarliestLocal => (log.StartOffset, -1),
        MaxTimestamp => log.FindMaxTimestamp(),
        _ => log.FindTime(timestamp),
    };

    static ErrorCode Delete(Request request, Topic? topic, PartitionLog? log, ref long offset)
    {
        if (topic is null || log is null) return ErrorCode.UnknownTopicOrPartition;
        if (topic.IsInternal || !log.Settings.Delete) return ErrorCode.PolicyViolation;
        return request.Broker.Topics.DeleteRecords(topic, log, ref offset);
    }
}
