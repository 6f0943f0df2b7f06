namespace StreamMetrics.EmbeddedKafka;

/// <summary>DescribeGroups v0-5, ListGroups v0-5, DeleteGroups v0-2.</summary>
internal static class GroupAdminHandlers
{
    /// <summary>All groups are of the classic protocol.</summary>
    const string GroupType = "classic";

    public static void Describe(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var count = r.ArrayLength();
        if (v >= 1) w.Int32(0);
        w.ArrayLength(count);
        for (; count > 0; count--)
        {
            var id = r.String();
            if (request.Broker.Groups.Find(id) is { } group)
            {
                lock (group.Gate) WriteGroup(w, v, id, group);
            }
            else
            {
                WriteGroup(w, v, id, null);
            }
        }

        w.Tags();
    }

    public static void List(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var states = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var count = v >= 4 ? r.ArrayLength() : 0; count > 0; count--) states.Add(r.String());
        var types = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var count = v >= 5 ? r.ArrayLength() : 0; count > 0; count--) types.Add(r.String());
        var listed = new List<(string Id, string ProtocolType, string State)>();
        foreach (var group in request.Broker.Groups.All)
        {
            if (types.Count > 0 && !types.Contains(GroupType)) break;
            lock (group.Gate)
            {
                if (states.Count == 0 || states.Contains(group.State.ToString())) listed.Add((group.Id, group.ProtocolType ?? "", group.State.ToString()));
            }
        }

        if (v >= 1) w.Int32(0);
        w.Error(ErrorCode.None);
        w.ArrayLength(listed.Count);
        foreach (var (id, protocolType, state) in listed)
        {
            w.String(id);
            w.String(protocolType);
            if (v >= 4) w.String(state);
            if (v >= 5) w.String(GroupType);
            w.Tags();
        }

        w.Tags();
    }

    public static void Delete(Request request)
    {
        var r = request.Reader();
        var w = request.Response;
        var count = r.ArrayLength();
        w.Int32(0);
        w.ArrayLength(count);
        for (; count > 0; count--)
        {
            var id = r.String();
            w.String(id);
            w.Error(id.Length == 0 ? ErrorCode.InvalidGroupId : request.Broker.Groups.Delete(id));
            w.Tags();
        }

        w.Tags();
    }

    static void WriteGroup(WireWriter w, short v, string id, Group? group)
    {
        var isStable = group?.State == GroupState.Stable;
        w.Error(ErrorCode.None);
        w.String(id);
        w.String((group?.State ?? GroupState.Dead).ToString());
        w.String(group?.ProtocolType ?? "");
        w.String(isStable ? group!.Protocol : "");
        w.ArrayLength(group?.Members.Count ?? 0);
        foreach (var member in group?.Members ?? [])
        {
            w.String(member.Id);
            if (v >= 4) w.String(member.InstanceId);
            w.String(member.ClientId);
            w.String(member.ClientHost);
            w.Bytes(isStable ? member.Metadata(group!.Protocol) ?? [] : []);
            w.Bytes(isStable ? member.Assignment : []);
            w.Tags();
        }

        if (v >= 3) w.Int32(int.MinValue);
        w.Tags();
    }
}
