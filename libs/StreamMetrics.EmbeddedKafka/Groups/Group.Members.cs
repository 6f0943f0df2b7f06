namespace StreamMetrics.EmbeddedKafka;

/// <summary>Synchronising, heartbeats, leaving, timeouts, and who may commit.</summary>
internal sealed partial class Group
{
    public Task<SyncResult> Sync(string memberId, string? instanceId, int generation, string? protocolType, string? protocol,
        List<(string MemberId, byte[] Assignment)> assignments, long now)
    {
        var error = Identify(memberId, instanceId, out var member);
        if (error == ErrorCode.None && generation != Generation) error = ErrorCode.IllegalGeneration;
        if (error == ErrorCode.None && ((protocolType is not null && protocolType != ProtocolType) || (protocol is not null && protocol != Protocol)))
            error = ErrorCode.InconsistentGroupProtocol;
        if (error == ErrorCode.None && State == GroupState.Empty) error = ErrorCode.UnknownMemberId;
        if (error == ErrorCode.None && State == GroupState.PreparingRebalance) error = ErrorCode.RebalanceInProgress;
        if (error != ErrorCode.None) return Task.FromResult(new SyncResult(error));

        Touch(member!, now);
        member!.HasSynced = true;
        if (State == GroupState.Stable) return Task.FromResult(Synced(member));

        EndSync(member, new(ErrorCode.RebalanceInProgress));
        var promise = new TaskCompletionSource<SyncResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        member.Sync = promise;
        if (memberId == LeaderId) Assign(assignments, now);
        return promise.Task;
    }

    public ErrorCode Heartbeat(string memberId, string? instanceId, int generation, long now)
    {
        var error = Identify(memberId, instanceId, out var member);
        if (error != ErrorCode.None) return error;
        if (State == GroupState.Empty) return ErrorCode.UnknownMemberId;
        if (generation != Generation) return ErrorCode.IllegalGeneration;
        Touch(member!, now);
        return State == GroupState.PreparingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
    }

    /// <summary>Removes a member that leaves; a static one may be named by its instance id alone.</summary>
    public ErrorCode Leave(string memberId, string? instanceId, long now)
    {
        if (instanceId is null && _pendingIds.Remove(memberId))
        {
            CompleteJoinIfAllAreIn(now);
            return ErrorCode.None;
        }

        if (memberId.Length == 0 && instanceId is not null && _staticIds.TryGetValue(instanceId, out var known)) memberId = known;
        var error = Identify(memberId, instanceId, out var member);
        if (error == ErrorCode.None) Remove(member!, now);
        return error;
    }

    /// <summary>Whether a commit is allowed; null generation checks as for a transactional commit, which ignores the rebalance state (KIP-447).</summary>
    public ErrorCode CheckCommit(string memberId, string? instanceId, int generation, bool transactional, long now)
    {
        if (State == GroupState.Dead) return ErrorCode.CoordinatorNotAvailable;
        var anonymous = memberId.Length == 0 && instanceId is null;
        if (generation < 0 && anonymous && (transactional || State == GroupState.Empty)) return ErrorCode.None;
        var error = Identify(memberId, instanceId, out var member);
        if (error != ErrorCode.None) return error;
        if (generation != Generation) return ErrorCode.IllegalGeneration;
        if (transactional) return ErrorCode.None;
        if (State == GroupState.CompletingRebalance) return ErrorCode.RebalanceInProgress;
        Touch(member!, now);
        return ErrorCode.None;
    }

    /// <summary>Whether a member consumes a topic: its offsets may not be deleted then.</summary>
    public bool IsSubscribed(string topic)
    {
        foreach (var member in _members.Values)
        {
            if (ProtocolType == "consumer" && Subscription.Contains(member.Metadata(Protocol) ?? [], topic)) return true;
        }

        return false;
    }

    /// <summary>Handles every deadline that has passed.</summary>
    public void Tick(long now)
    {
        ExpirePending(now);
        ExpireSessions(now);
        if (State == GroupState.PreparingRebalance && now >= _joinDeadline)
        {
            _initialUntil = 0;
            CompleteJoin(now);
        }
        else if (State == GroupState.CompletingRebalance && now >= _syncDeadline)
        {
            foreach (var member in _members.Values)
            {
                if (!member.HasSynced) Remove(member, now);
            }
        }
    }

    void ExpirePending(long now)
    {
        if (_pendingIds.Count == 0) return;
        foreach (var (id, deadline) in _pendingIds)
        {
            if (now >= deadline) _pendingIds.Remove(id);
        }

        CompleteJoinIfAllAreIn(now);
    }

    void ExpireSessions(long now)
    {
        foreach (var member in _members.Values)
        {
            // A member whose request waits here is alive by that.
            if (now < member.SessionDeadline || member.Join is not null || member.Sync is not null) continue;
            Log.MemberExpired(coordinator.Logger, Id, member.Id);
            Remove(member, now);
        }
    }

    void Assign(List<(string MemberId, byte[] Assignment)> assignments, long now)
    {
        foreach (var (id, assignment) in assignments)
        {
            if (_members.TryGetValue(id, out var member)) member.Assignment = assignment;
        }

        State = GroupState.Stable;
        coordinator.Save(this);
        foreach (var member in _members.Values)
        {
            Touch(member, now);
            EndSync(member, Synced(member));
        }
    }

    SyncResult Synced(GroupMember member) => new(ErrorCode.None) { ProtocolType = ProtocolType, Protocol = Protocol, Assignment = member.Assignment };

    void Remove(GroupMember member, long now)
    {
        member.Join?.TrySetResult(new(ErrorCode.UnknownMemberId, member.Id));
        EndSync(member, new(ErrorCode.UnknownMemberId));
        _members.Remove(member.Id);
        if (member.InstanceId is not null && _staticIds.GetValueOrDefault(member.InstanceId) == member.Id) _staticIds.Remove(member.InstanceId);
        if (State is GroupState.Stable or GroupState.CompletingRebalance)
        {
            if (_members.Count == 0) BecomeEmpty(now);
            else PrepareRebalance(now);
        }

        if (State != GroupState.PreparingRebalance) return;
        if (_members.Count == 0 && _pendingIds.Count == 0 && _initialUntil == 0) BecomeEmpty(now);
        else CompleteJoinIfAllAreIn(now);
    }
}
