using System.Text;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// The topics of OffsetCommit and TxnOffsetCommit, => [name [partition offset leader_epoch metadata]], and the answer to each. Partitions that are
/// refused on their own (unknown, metadata too long) do not keep the others from being committed.
/// </summary>
internal sealed class OffsetCommitBody
{
    readonly List<(string Topic, int Count)> _topics = [];
    readonly List<(int Partition, ErrorCode Error)> _results = [];

    public List<(PartitionId Partition, CommittedOffset Offset)> Accepted { get; } = [];

    public static OffsetCommitBody Read(ref WireReader r, bool withLeaderEpoch, Broker broker)
    {
        var body = new OffsetCommitBody();
        for (var topics = r.ArrayLength(); topics > 0; topics--)
        {
            var name = r.String();
            var topic = broker.Topics.Find(name);
            var partitions = r.ArrayLength();
            body._topics.Add((name, partitions));
            for (; partitions > 0; partitions--)
            {
                var (index, offset) = (r.Int32(), r.Int64());
                var epoch = withLeaderEpoch ? r.Int32() : -1;
                var metadata = r.NullableString() ?? "";
                r.Tags();
                var error = topic?.Find(index) is null ? ErrorCode.UnknownTopicOrPartition
                    : Encoding.UTF8.GetByteCount(metadata) > CommitHandlers.MaxMetadataBytes ? ErrorCode.OffsetMetadataTooLarge
                    : ErrorCode.None;
                body._results.Add((index, error));
                if (error == ErrorCode.None) body.Accepted.Add((new(name, index), new(offset, epoch, metadata, broker.Now)));
            }

            r.Tags();
        }

        return body;
    }

    /// <summary>Refuses what would have been accepted.</summary>
    public void Fail(ErrorCode error)
    {
        for (var i = 0; i < _results.Count; i++)
        {
            if (_results[i].Error == ErrorCode.None) _results[i] = (_results[i].Partition, error);
        }
    }

    public void WriteResults(WireWriter w)
    {
        w.ArrayLength(_topics.Count);
        var next = 0;
        foreach (var (topic, count) in _topics)
        {
            w.String(topic);
            w.ArrayLength(count);
            for (var i = 0; i < count; i++, next++)
            {
                w.Int32(_results[next].Partition);
                w.Error(_results[next].Error);
                w.Tags();
            }

            w.Tags();
        }
    }
}
