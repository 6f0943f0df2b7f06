namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// The records of <c>__consumer_offsets</c>, in Kafka's layouts so that Kafka's tools can read them: key version 1 = offset of a group and
/// partition (value version 3), key version 2 = group (value version 3).
/// </summary>
internal static class GroupRecords
{
    const short OffsetKeyVersion = 1, GroupKeyVersion = 2, ValueVersion = 3;

    public static void OffsetKey(WireWriter w, string group, PartitionId partition)
    {
        w.Int16(OffsetKeyVersion);
        w.String(group);
        w.String(partition.Topic);
        w.Int32(partition.Partition);
    }

    public static void OffsetValue(WireWriter w, in CommittedOffset offset)
    {
        w.Int16(ValueVersion);
        w.Int64(offset.Offset);
        w.Int32(offset.LeaderEpoch);
        w.String(offset.Metadata);
        w.Int64(offset.CommitTimestamp);
    }

    public static CommittedOffset ReadOffset(ReadOnlySpan<byte> value)
    {
        var r = new WireReader(value, flexible: false);
        r.Int16();
        return new(r.Int64(), r.Int32(), r.String(), r.Int64());
    }

    public static void GroupKey(WireWriter w, string group)
    {
        w.Int16(GroupKeyVersion);
        w.String(group);
    }

    public static void GroupValue(WireWriter w, Group group, long now)
    {
        w.Int16(ValueVersion);
        w.String(group.ProtocolType ?? "");
        w.Int32(group.Generation);
        w.String(group.Protocol);
        w.String(group.LeaderId);
        w.Int64(now);
        w.ArrayLength(group.Members.Count);
        foreach (var member in group.Members)
        {
            w.String(member.Id);
            w.String(member.InstanceId);
            w.String(member.ClientId);
            w.String(member.ClientHost);
            w.Int32(member.RebalanceTimeoutMs);
            w.Int32(member.SessionTimeoutMs);
            w.Bytes(member.Metadata(group.Protocol) ?? []);
            w.Bytes(member.Assignment);
        }
    }

    public static void ReadGroup(ReadOnlySpan<byte> value, Group group, long now)
    {
        var r = new WireReader(value, flexible: false);
        r.Int16();
        var (protocolType, generation, protocol, leader) = (r.String(), r.Int32(), r.NullableString(), r.NullableString());
        r.Int64();
        group.Restore(generation, protocolType, protocol, leader, now);
        for (var count = r.ArrayLength(); count > 0; count--)
        {
            var (id, instance, client, host, rebalance, session) = (r.String(), r.NullableString(), r.String(), r.String(), r.Int32(), r.Int32());
            var member = new GroupMember
            {
                Id = id, InstanceId = instance, ClientId = client, ClientHost = host, RebalanceTimeoutMs = rebalance, SessionTimeoutMs = session,
                Protocols = [new(protocol ?? "", r.Bytes().ToArray())],
            };
            member.Assignment = r.Bytes().ToArray();
            group.Restore(member, now);
        }
    }

    /// <summary>Reads a key. Kind: 1 = offset, 2 = group, anything else is a record of a newer Kafka and of no meaning here.</summary>
    public static (int Kind, string Group, PartitionId Partition) ReadKey(ReadOnlySpan<byte> key)
    {
        var r = new WireReader(key, flexible: false);
        return r.Int16() switch
        {
            0 or OffsetKeyVersion => (1, r.String(), new(r.String(), r.Int32())),
            GroupKeyVersion => (2, r.String(), default),
            _ => default,
        };
    }
}
