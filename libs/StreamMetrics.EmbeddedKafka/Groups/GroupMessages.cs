namespace StreamMetrics.EmbeddedKafka;

/// <summary>A protocol (assignor) a member offers, with its opaque subscription.</summary>
internal readonly record struct GroupProtocol(string Name, byte[] Metadata);

internal sealed record JoinRequest
{
    public required string GroupId { get; init; }
    public required string MemberId { get; init; }
    public required string? InstanceId { get; init; }
    public required string ClientId { get; init; }
    public required string ClientHost { get; init; }
    public required int SessionTimeoutMs { get; init; }
    public required int RebalanceTimeoutMs { get; init; }
    public required string ProtocolType { get; init; }
    public required List<GroupProtocol> Protocols { get; init; }

    /// <summary>Version 4 and later: a dynamic member first gets its id and joins with it (KIP-394).</summary>
    public required bool NeedsMemberId { get; init; }

    /// <summary>Version 9 and later: the answer can tell a leader not to assign (KIP-814).</summary>
    public required bool KnowsSkipAssignment { get; init; }
}

internal sealed record JoinedMember(string MemberId, string? InstanceId, byte[] Metadata);

internal sealed record JoinResult(ErrorCode Error, string MemberId)
{
    public int Generation { get; init; } = -1;
    public string? ProtocolType { get; init; }
    public string? Protocol { get; init; }
    public string Leader { get; init; } = "";
    public bool SkipAssignment { get; init; }
    public IReadOnlyList<JoinedMember> Members { get; init; } = [];
}

internal sealed record SyncResult(ErrorCode Error)
{
    public string? ProtocolType { get; init; }
    public string? Protocol { get; init; }
    public byte[] Assignment { get; init; } = [];
}

/// <summary>An offset a group has committed for a partition.</summary>
internal readonly record struct CommittedOffset(long Offset, int LeaderEpoch, string Metadata, long CommitTimestamp);

internal readonly record struct PartitionId(string Topic, int Partition);
