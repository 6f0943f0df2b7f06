namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// Produce v3-11 => transactional_id acks timeout_ms [name [index records]]. Batches go from the request's buffer to the file as they are.
/// </summary>
internal static class ProduceHandler
{
    public static void Handle(Request request)
    {
        var r = request.Reader();
        var w = request.Response;
        var transactionalId = r.NullableString();
        var acks = r.Int16();
        r.Int32();
        var topics = r.ArrayLength();
        w.ArrayLength(topics);
        var failed = false;
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
                var size = r.Bytes().Length;
                var records = request.Body.Span.Slice(r.Position - size, size);
                r.Tags();
                var log = topic?.Find(index);
                var result = acks is < -1 or > 1
                    ? AppendResult.Refused(ErrorCode.InvalidRequiredAcks)
                    : log is null || topic!.IsInternal ? AppendResult.Refused(ErrorCode.UnknownTopicOrPartition) : Append(request, log, records, transactionalId);
                failed |= result.Error != ErrorCode.None;
                WritePartition(w, request.Version, index, result, log?.StartOffset ?? -1);
            }

            r.Tags();
            w.Tags();
        }

        w.Int32(0);
        w.Tags();
        request.NoResponse = acks == 0;
        request.MustClose = acks == 0 && failed;
    }

    static AppendResult Append(Request request, PartitionLog log, Span<byte> records, string? transactionalId)
    {
        var result = BatchValidator.Validate(records, log.Settings, request.Version, out var header);
        if (result.Error != ErrorCode.None) return result;
        if (!header.IsTransactional) return log.Append(records, header, request.Broker.Now);
        if (transactionalId is null) return AppendResult.Refused(ErrorCode.TransactionalIdAuthorizationFailed, "A transactional batch needs a transactional id.");
        result = log.Append(records, header, request.Broker.Now);
        return result.Error == ErrorCode.ConcurrentTransactions ? AppendFirst(request, log, records, header, transactionalId) : result;
    }

    /// <summary>The first batch of a transaction on a partition: only while the coordinator has the transaction open with this partition.</summary>
    static AppendResult AppendFirst(Request request, PartitionLog log, Span<byte> records, in BatchHeader header, string transactionalId)
    {
        if (request.Broker.Transactions.Find(transactionalId) is not { } state) return AppendResult.Refused(ErrorCode.InvalidProducerIdMapping);
        lock (state.Gate)
        {
            var error = TransactionCoordinator.CheckOpen(state, header.ProducerId, header.ProducerEpoch, new(log.Topic, log.Partition));
            return error != ErrorCode.None ? AppendResult.Refused(error) : log.Append(records, header, request.Broker.Now, verified: true);
        }
    }

    static void WritePartition(WireWriter w, short version, int index, in AppendResult result, long startOffset)
    {
        w.Int32(index);
        w.Error(result.Error);
        w.Int64(result.BaseOffset);
        w.Int64(result.LogAppendTime);
        if (version >= 5) w.Int64(startOffset);
        if (version >= 8)
        {
            w.ArrayLength(result.Records?.Count ?? 0);
            foreach (var record in result.Records ?? [])
            {
                w.Int32(record);
                w.String(result.Message);
                w.Tags();
            }

            w.String(result.Message);
        }

        w.Tags();
    }
}
