namespace StreamMetrics.EmbeddedKafka;

/// <summary>JoinGroup v0-9, SyncGroup v0-5, Heartbeat v0-4, LeaveGroup v0-5.</summary>
internal static class GroupHandlers
{
    const int MinSessionTimeoutMs = 6000, MaxSessionTimeoutMs = 1_800_000;

    public static async ValueTask JoinAsync(Request request)
    {
        var join = ReadJoin(request);
        var error = join.GroupId.Length == 0 ? ErrorCode.InvalidGroupId
            : join.SessionTimeoutMs is < MinSessionTimeoutMs or > MaxSessionTimeoutMs ? ErrorCode.InvalidSessionTimeout
            : ErrorCode.None;
        var result = error != ErrorCode.None ? new(error, join.MemberId) : await EnterAsync(request, join).ConfigureAwait(false);
        WriteJoin(request.Response, request.Version, result);
    }

    public static async ValueTask SyncAsync(Request request)
    {
        var result = await EnterSync(request).WaitAsync(request.Closed).ConfigureAwait(false);
        var (w, v) = (request.Response, request.Version);
        if (v >= 1) w.Int32(0);
        w.Error(result.Error);
        if (v >= 5)
        {
            w.String(result.ProtocolType);
            w.String(result.Protocol);
        }

        w.Bytes(result.Assignment);
        w.Tags();
    }

    public static void Heartbeat(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var (groupId, generation, memberId) = (r.String(), r.Int32(), r.String());
        var instanceId = v >= 3 ? r.NullableString() : null;
        var error = ErrorCode.UnknownMemberId;
        if (request.Broker.Groups.Find(groupId) is { } group)
        {
            lock (group.Gate) error = group.Heartbeat(memberId, instanceId, generation, request.Broker.Now);
        }

        if (v >= 1) w.Int32(0);
        w.Error(error);
        w.Tags();
    }

    public static void Leave(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var groupId = r.String();
        var leaving = new List<(string MemberId, string? InstanceId, ErrorCode Error)>();
        if (v <= 2) leaving.Add((r.String(), null, default));
        else
        {
            for (var count = r.ArrayLength(); count > 0; count--)
            {
                leaving.Add((r.String(), r.NullableString(), default));
                if (v >= 5) r.NullableString();
                r.Tags();
            }
        }

        var group = request.Broker.Groups.Find(groupId);
        for (var i = 0; i < leaving.Count; i++)
        {
            var (memberId, instanceId, error) = leaving[i];
            if (group is null) error = ErrorCode.UnknownMemberId;
            else lock (group.Gate) error = group.Leave(memberId, instanceId, request.Broker.Now);
            leaving[i] = (memberId, instanceId, error);
        }

        if (v >= 1) w.Int32(0);
        w.Error(v <= 2 ? leaving[0].Error : ErrorCode.None);
        if (v >= 3)
        {
            w.ArrayLength(leaving.Count);
            foreach (var (memberId, instanceId, error) in leaving)
            {
                w.String(memberId);
                w.String(instanceId);
                w.Error(error);
                w.Tags();
            }
        }

        w.Tags();
    }

    static JoinRequest ReadJoin(Request request)
    {
        var r = request.Reader();
        var v = request.Version;
        var (groupId, session) = (r.String(), r.Int32());
        var rebalance = v >= 1 ? r.Int32() : session;
        var memberId = r.String();
        var instanceId = v >= 5 ? r.NullableString() : null;
        var protocolType = r.String();
        var protocols = new List<GroupProtocol>();
        for (var count = r.ArrayLength(); count > 0; count--)
        {
            protocols.Add(new(r.String(), r.Bytes().ToArray()));
            r.Tags();
        }

        return new()
        {
            GroupId = groupId, SessionTimeoutMs = session, RebalanceTimeoutMs = rebalance > 0 ? rebalance : session, MemberId = memberId, InstanceId = instanceId,
            ProtocolType = protocolType, Protocols = protocols, ClientId = request.ClientId, ClientHost = request.ClientHost, NeedsMemberId = v >= 4, KnowsSkipAssignment = v >= 9,
        };
    }

    static Task<JoinResult> EnterAsync(Request request, JoinRequest join)
    {
        // A member id names a member of a group that is there; only a new member makes a group.
        var groups = request.Broker.Groups;
        var group = join.MemberId.Length > 0 ? groups.Find(join.GroupId) : groups.GetOrAdd(join.GroupId);
        if (group is null) return Task.FromResult(new JoinResult(ErrorCode.UnknownMemberId, join.MemberId));
        lock (group.Gate) return group.Join(join, request.Broker.Now).WaitAsync(request.Closed);
    }

    static Task<SyncResult> EnterSync(Request request)
    {
        var r = request.Reader();
        var v = request.Version;
        var (groupId, generation, memberId) = (r.String(), r.Int32(), r.String());
        var instanceId = v >= 3 ? r.NullableString() : null;
        var protocolType = v >= 5 ? r.NullableString() : null;
        var protocol = v >= 5 ? r.NullableString() : null;
        var assignments = new List<(string, byte[])>();
        for (var count = r.ArrayLength(); count > 0; count--)
        {
            assignments.Add((r.String(), r.Bytes().ToArray()));
            r.Tags();
        }

        if (request.Broker.Groups.Find(groupId) is not { } group) return Task.FromResult(new SyncResult(ErrorCode.UnknownMemberId));
        lock (group.Gate) return group.Sync(memberId, instanceId, generation, protocolType, protocol, assignments, request.Broker.Now);
    }

    static void WriteJoin(WireWriter w, short v, JoinResult result)
    {
        if (v >= 2) w.Int32(0);
        w.Error(result.Error);
        w.Int32(result.Generation);
        if (v >= 7) w.String(result.ProtocolType);
        w.String(v >= 7 ? result.Protocol : result.Protocol ?? "");
        w.String(result.Leader);
        if (v >= 9) w.Bool(result.SkipAssignment);
        w.String(result.MemberId);
        w.ArrayLength(result.Members.Count);
        foreach (var member in result.Members)
        {
            w.String(member.MemberId);
            if (v >= 5) w.String(member.InstanceId);
            w.Bytes(member.Metadata);
            w.Tags();
        }

        w.Tags();
    }
}
