namespace StreamMetrics.EmbeddedKafka;

/// <summary>Joining and the two phases of a rebalance.</summary>
internal sealed partial class Group
{
    /// <summary>When the running rebalance ends although members are missing.</summary>
    long _joinDeadline;

    /// <summary>The first rebalance of an empty group waits a little for more members, at most until this time; 0 outside of it.</summary>
    long _initialUntil;

    long _syncDeadline;

    /// <summary>Answers at once or leaves a promise that the end of the rebalance fulfils.</summary>
    public Task<JoinResult> Join(JoinRequest request, long now)
    {
        if (State == GroupState.Dead) return Failed(ErrorCode.UnknownMemberId, request.MemberId);
        if (!IsCompatible(request)) return Failed(ErrorCode.InconsistentGroupProtocol, request.MemberId);
        if (request.MemberId.Length == 0) return request.InstanceId is null ? JoinDynamic(request, now) : JoinStatic(request, now);

        if (request.InstanceId is null && _pendingIds.Remove(request.MemberId)) return AddMember(request, request.MemberId, now);
        var error = Identify(request.MemberId, request.InstanceId, out var member);
        return error != ErrorCode.None ? Failed(error, request.MemberId) : Rejoin(member!, request, now);
    }

    static Task<JoinResult> Failed(ErrorCode error, string memberId) => Task.FromResult(new JoinResult(error, memberId));

    Task<JoinResult> JoinDynamic(JoinRequest request, long now)
    {
        var id = $"{request.ClientId}-{Guid.NewGuid()}";
        if (!request.NeedsMemberId) return AddMember(request, id, now);
        _pendingIds[id] = now + request.SessionTimeoutMs;
        return Failed(ErrorCode.MemberIdRequired, id);
    }

    Task<JoinResult> JoinStatic(JoinRequest request, long now)
    {
        var id = $"{request.InstanceId}-{Guid.NewGuid()}";
        return _staticIds.TryGetValue(request.InstanceId!, out var old) ? ReplaceStatic(_members[old], request, id, now) : AddMember(request, id, now);
    }

    /// <summary>A static member came back under a new id: it takes the place of its former self, whose waiting requests are fenced.</summary>
    Task<JoinResult> ReplaceStatic(GroupMember old, JoinRequest request, string id, long now)
    {
        old.Join?.TrySetResult(new(ErrorCode.FencedInstanceId, old.Id));
        old.Sync?.TrySetResult(new(ErrorCode.FencedInstanceId));
        _members.Remove(old.Id);
        var member = NewMember(request, id, now);
        (member.Assignment, member.HasSynced) = (old.Assignment, old.HasSynced);
        _members[id] = member;
        _staticIds[request.InstanceId!] = id;
        var oldLeader = LeaderId;
        if (LeaderId == old.Id) LeaderId = id;

        switch (State)
        {
            case GroupState.Stable when Vote() == Protocol:
                // Nothing changes for the others. Before version 9 the answer names the old leader, so that a leader that came back does not assign again.
                coordinator.Save(this);
                var isLeader = LeaderId == id;
                return Task.FromResult(new JoinResult(ErrorCode.None, id)
                {
                    Generation = Generation, ProtocolType = ProtocolType, Protocol = Protocol,
                    Leader = request.KnowsSkipAssignment ? LeaderId! : oldLeader!,
                    SkipAssignment = isLeader && request.KnowsSkipAssignment,
                    Members = isLeader && request.KnowsSkipAssignment ? JoinedMembers() : [],
                });
            case GroupState.Stable or GroupState.CompletingRebalance:
                PrepareRebalance(now);
                break;
        }

        return Park(member, now);
    }

    Task<JoinResult> AddMember(JoinRequest request, string id, long now)
    {
        var member = NewMember(request, id, now);
        _members[id] = member;
        if (request.InstanceId is not null) _staticIds[request.InstanceId] = id;
        if (_members.Count == 1) ProtocolType = request.ProtocolType;
        if (State != GroupState.PreparingRebalance) PrepareRebalance(now);
        else if (_initialUntil > 0) _joinDeadline = Math.Min(now + coordinator.InitialRebalanceDelayMs, _initialUntil);
        return Park(member, now);
    }

    Task<JoinResult> Rejoin(GroupMember member, JoinRequest request, long now)
    {
        var same = member.Offers(request.Protocols);
        var answerCurrent = State switch
        {
            GroupState.CompletingRebalance => same,
            // The leader rejoins when it wants a new assignment, for example after a change of the topics.
            GroupState.Stable => same && member.Id != LeaderId,
            _ => false,
        };
        Update(member, request, now);
        if (answerCurrent)
        {
            return Task.FromResult(Joined(member));
        }

        if (State != GroupState.PreparingRebalance) PrepareRebalance(now);
        return Park(member, now);
    }

    Task<JoinResult> Park(GroupMember member, long now)
    {
        member.Join?.TrySetResult(new(ErrorCode.RebalanceInProgress, member.Id));
        var promise = new TaskCompletionSource<JoinResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        member.Join = promise;
        CompleteJoinIfAllAreIn(now);
        return promise.Task;
    }

    void PrepareRebalance(long now)
    {
        foreach (var member in _members.Values) EndSync(member, new(ErrorCode.RebalanceInProgress));
        var initial = State == GroupState.Empty;
        State = GroupState.PreparingRebalance;
        var timeout = LongestRebalanceTimeout();
        _initialUntil = initial ? now + timeout : 0;
        _joinDeadline = now + (initial ? coordinator.InitialRebalanceDelayMs : timeout);
    }

    void CompleteJoinIfAllAreIn(long now)
    {
        if (State != GroupState.PreparingRebalance || _initialUntil > 0 || _pendingIds.Count > 0) return;
        foreach (var member in _members.Values)
        {
            if (member.Join is null) return;
        }

        CompleteJoin(now);
    }

    void CompleteJoin(long now)
    {
        _initialUntil = 0;
        var rejoined = 0;
        foreach (var member in _members.Values)
        {
            if (member.Join is not null) rejoined++;
            else if (member.InstanceId is null) _members.Remove(member.Id);
        }

        if (_members.Count == 0)
        {
            BecomeEmpty(now);
            return;
        }

        if (rejoined == 0)
        {
            _joinDeadline = now + LongestRebalanceTimeout();
            return;
        }

        Generation++;
        Protocol = Vote();
        ChooseLeader();
        State = GroupState.CompletingRebalance;
        _syncDeadline = now + LongestRebalanceTimeout();
        Log.GroupGeneration(coordinator.Logger, Id, Generation, _members.Count);
        foreach (var member in _members.Values)
        {
            (member.Assignment, member.HasSynced) = ([], false);
            if (member.Join is null) continue;
            Touch(member, now);
            member.Join.TrySetResult(Joined(member));
            member.Join = null;
        }
    }

    void ChooseLeader()
    {
        if (LeaderId is not null && _members.TryGetValue(LeaderId, out var leader) && leader.Join is not null) return;
        foreach (var member in _members.Values)
        {
            if (member.Join is null) continue;
            LeaderId = member.Id;
            return;
        }
    }

    void BecomeEmpty(long now)
    {
        Generation++;
        (State, Protocol, LeaderId, EmptySince) = (GroupState.Empty, null, null, now);
        coordinator.Save(this);
    }

    JoinResult Joined(GroupMember member) => new(ErrorCode.None, member.Id)
    {
        Generation = Generation, ProtocolType = ProtocolType, Protocol = Protocol, Leader = LeaderId!, Members = member.Id == LeaderId ? JoinedMembers() : [],
    };

    List<JoinedMember> JoinedMembers()
    {
        var members = new List<JoinedMember>(_members.Count);
        foreach (var member in _members.Values) members.Add(new(member.Id, member.InstanceId, member.Metadata(Protocol) ?? []));
        return members;
    }

    /// <summary>The protocol most members prefer among those that all of them offer.</summary>
    string? Vote()
    {
        var votes = new Dictionary<string, int>();
        foreach (var member in _members.Values)
        {
            foreach (var offered in member.Protocols)
            {
                if (!AllOffer(offered.Name)) continue;
                votes[offered.Name] = votes.GetValueOrDefault(offered.Name) + 1;
                break;
            }
        }

        string? winner = null;
        foreach (var (name, count) in votes)
        {
            if (winner is null || count > votes[winner]) winner = name;
        }

        return winner;
    }

    bool AllOffer(string protocol)
    {
        foreach (var member in _members.Values)
        {
            if (member.Metadata(protocol) is null) return false;
        }

        return true;
    }

    bool IsCompatible(JoinRequest request)
    {
        if (request.ProtocolType.Length == 0 || request.Protocols.Count == 0) return false;
        if (_members.Count == 0) return true;
        if (ProtocolType != request.ProtocolType) return false;
        foreach (var protocol in request.Protocols)
        {
            if (AllOffer(protocol.Name)) return true;
        }

        return false;
    }

    static GroupMember NewMember(JoinRequest request, string id, long now) => new()
    {
        Id = id, InstanceId = request.InstanceId, ClientId = request.ClientId, ClientHost = request.ClientHost, SessionTimeoutMs = request.SessionTimeoutMs,
        RebalanceTimeoutMs = request.RebalanceTimeoutMs, Protocols = request.Protocols, SessionDeadline = now + request.SessionTimeoutMs,
    };

    static void Update(GroupMember member, JoinRequest request, long now)
    {
        (member.ClientId, member.ClientHost, member.Protocols) = (request.ClientId, request.ClientHost, request.Protocols);
        (member.SessionTimeoutMs, member.RebalanceTimeoutMs) = (request.SessionTimeoutMs, request.RebalanceTimeoutMs);
        Touch(member, now);
    }

    static void Touch(GroupMember member, long now) => member.SessionDeadline = now + member.SessionTimeoutMs;

    static void EndSync(GroupMember member, SyncResult result)
    {
        member.Sync?.TrySetResult(result);
        member.Sync = null;
    }
}
