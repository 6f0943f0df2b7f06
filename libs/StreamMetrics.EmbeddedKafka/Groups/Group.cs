namespace StreamMetrics.EmbeddedKafka;

// Empty ─► PreparingRebalance ─► CompletingRebalance ─► Stable;   Stable | CompletingRebalance ─► PreparingRebalance;
// any ─► Empty when the last member is gone;   Empty ─► Dead when the group is deleted.
internal enum GroupState
{
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
    Dead,
}

internal sealed class GroupMember
{
    public required string Id { get; init; }
    public required string? InstanceId { get; init; }
    public required string ClientId { get; set; }
    public required string ClientHost { get; set; }
    public required int SessionTimeoutMs { get; set; }
    public required int RebalanceTimeoutMs { get; set; }
    public required List<GroupProtocol> Protocols { get; set; }
    public byte[] Assignment { get; set; } = [];

    /// <summary>Time (ms) by which the member must be heard of.</summary>
    public long SessionDeadline { get; set; }

    /// <summary>The JoinGroup that waits for its answer.</summary>
    public TaskCompletionSource<JoinResult>? Join { get; set; }

    /// <summary>The SyncGroup that waits for its answer.</summary>
    public TaskCompletionSource<SyncResult>? Sync { get; set; }

    /// <summary>Whether the member has sent SyncGroup for the current generation.</summary>
    public bool HasSynced { get; set; }

    public byte[]? Metadata(string? protocol)
    {
        foreach (var offered in Protocols)
        {
            if (offered.Name == protocol) return offered.Metadata;
        }

        return null;
    }

    public bool Offers(List<GroupProtocol> others)
    {
        if (others.Count != Protocols.Count) return false;
        for (var i = 0; i < others.Count; i++)
        {
            if (others[i].Name != Protocols[i].Name || !others[i].Metadata.AsSpan().SequenceEqual(Protocols[i].Metadata)) return false;
        }

        return true;
    }
}

/// <summary>
/// A consumer group: members, generation, committed offsets. Everything is under <see cref="Gate"/>. The state machine is in the other parts of this
/// class; the data and small questions are here.
/// </summary>
internal sealed partial class Group(string id, GroupCoordinator coordinator)
{
    readonly Dictionary<string, GroupMember> _members = [];
    readonly Dictionary<string, string> _staticIds = [];
    readonly Dictionary<string, long> _pendingIds = [];

    public Lock Gate { get; } = new();

    public string Id { get; } = id;

    public GroupState State { get; private set; }

    public int Generation { get; private set; }

    public string? ProtocolType { get; private set; }

    public string? Protocol { get; private set; }

    public string? LeaderId { get; private set; }

    /// <summary>Time (ms) since which there has been no member.</summary>
    public long EmptySince { get; private set; }

    public IReadOnlyCollection<GroupMember> Members => _members.Values;

    public Dictionary<PartitionId, CommittedOffset> Offsets { get; } = [];

    /// <summary>Offsets committed in transactions that are still open, per producer id.</summary>
    public Dictionary<long, Dictionary<PartitionId, CommittedOffset>> PendingOffsets { get; } = [];

    public bool HasPending(PartitionId partition)
    {
        foreach (var pending in PendingOffsets.Values)
        {
            if (pending.ContainsKey(partition)) return true;
        }

        return false;
    }

    /// <summary>Drops what is committed for a partition, and what open transactions would commit.</summary>
    public void Forget(PartitionId partition)
    {
        Offsets.Remove(partition);
        foreach (var pending in PendingOffsets.Values) pending.Remove(partition);
    }

    /// <summary>Puts a stored member back at start; it has its whole session timeout to be heard of again.</summary>
    public void Restore(GroupMember member, long now)
    {
        member.SessionDeadline = now + member.SessionTimeoutMs;
        member.HasSynced = true;
        _members[member.Id] = member;
        if (member.InstanceId is not null) _staticIds[member.InstanceId] = member.Id;
    }

    public void Restore(int generation, string? protocolType, string? protocol, string? leader, long now)
    {
        _members.Clear();
        _staticIds.Clear();
        (Generation, ProtocolType, Protocol, LeaderId, EmptySince) = (generation, protocolType, protocol, leader, now);
    }

    /// <summary>Ends a restore.</summary>
    public void Restored() => State = _members.Count == 0 ? GroupState.Empty : GroupState.Stable;

    /// <summary>Only a group without members can be deleted.</summary>
    public ErrorCode CheckDeletion() => State switch
    {
        GroupState.Empty => ErrorCode.None,
        GroupState.Dead => ErrorCode.GroupIdNotFound,
        _ => ErrorCode.NonEmptyGroup,
    };

    /// <summary>The group is deleted: whoever still holds it is refused.</summary>
    public void Kill() => State = GroupState.Dead;

    /// <summary>The common checks of a request that names a member: who it is, and that no other process took its static identity.</summary>
    ErrorCode Identify(string memberId, string? instanceId, out GroupMember? member)
    {
        member = null;
        if (State == GroupState.Dead) return ErrorCode.UnknownMemberId;
        if (instanceId is not null)
        {
            if (!_staticIds.TryGetValue(instanceId, out var current)) return ErrorCode.UnknownMemberId;
            if (current != memberId) return ErrorCode.FencedInstanceId;
        }

        return _members.TryGetValue(memberId, out member) ? ErrorCode.None : ErrorCode.UnknownMemberId;
    }

    int LongestRebalanceTimeout()
    {
        var longest = 0;
        foreach (var member in _members.Values) longest = Math.Max(longest, member.RebalanceTimeoutMs);
        return longest;
    }
}
