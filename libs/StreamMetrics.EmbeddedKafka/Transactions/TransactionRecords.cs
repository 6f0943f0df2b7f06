namespace StreamMetrics.EmbeddedKafka;

/// <summary>The records of <c>__transaction_state</c> in Kafka's layout: key version 0 {id}, value version 0.</summary>
internal static class TransactionRecords
{
    const short Version = 0;

    public static void Key(WireWriter w, string id)
    {
        w.Int16(Version);
        w.String(id);
    }

    public static void Value(WireWriter w, TransactionState state)
    {
        w.Int16(Version);
        w.Int64(state.ProducerId);
        w.Int16(state.ProducerEpoch);
        w.Int32(state.TimeoutMs);
        w.Byte((byte)state.Status);
        var topics = state.Partitions.GroupBy(partition => partition.Topic).ToList();
        w.ArrayLength(topics.Count);
        foreach (var topic in topics)
        {
            w.String(topic.Key);
            w.Int32Array([.. topic.Select(partition => partition.Partition)]);
        }

        w.Int64(state.UpdatedAt);
        w.Int64(state.StartedAt);
    }

    public static string ReadKey(ReadOnlySpan<byte> key)
    {
        var r = new WireReader(key, flexible: false);
        r.Int16();
        return r.String();
    }

    public static void Read(ReadOnlySpan<byte> value, TransactionState into)
    {
        var r = new WireReader(value, flexible: false);
        r.Int16();
        (into.ProducerId, into.ProducerEpoch, into.TimeoutMs, into.Status) = (r.Int64(), r.Int16(), r.Int32(), (TransactionStatus)r.Byte());
        into.Partitions.Clear();
        for (var topics = r.ArrayLength(); topics > 0; topics--)
        {
            var topic = r.String();
            foreach (var partition in r.Int32Array()) into.Partitions.Add(new(topic, partition));
        }

        (into.UpdatedAt, into.StartedAt) = (r.Int64(), r.Int64());
    }
}
