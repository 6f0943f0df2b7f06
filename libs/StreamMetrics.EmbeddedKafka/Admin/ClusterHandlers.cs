namespace StreamMetrics.EmbeddedKafka;

/// <summary>ApiVersions v0-4, Metadata v0-12, FindCoordinator v0-4, DescribeCluster v0-1.</summary>
internal static class ClusterHandlers
{
    /// <summary>What "authorized operations" says when the broker does not know.</summary>
    const int NoOperations = int.MinValue;

    const byte TransactionKeyType = 1;

    public static void ApiVersions(Request request)
    {
        var (w, v) = (request.Response, request.Version);
        if (ApiTable.Find((short)ApiKey.ApiVersions)!.Value.Serves(v))
        {
            w.Error(ErrorCode.None);
            w.ArrayLength(ApiTable.All.Length);
            foreach (var range in ApiTable.All) WriteRange(w, range);
            if (v >= 1) w.Int32(0);
            w.Tags();
            return;
        }

        // To a version that is not known the answer has exactly the layout of version 0 (KIP-511).
        w.Flexible = false;
        w.Error(ErrorCode.UnsupportedVersion);
        w.ArrayLength(1);
        WriteRange(w, ApiTable.Find((short)ApiKey.ApiVersions)!.Value);
    }

    public static void Metadata(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var topics = ReadTopics(ref r, v);
        var mayCreate = v < 4 || r.Bool();
        if (v >= 3) w.Int32(0);
        WriteBrokers(w, request.Broker, withRack: v >= 1);
        if (v >= 2) w.String(request.Broker.Store.Meta.ClusterId);
        if (v >= 1) w.Int32(request.Broker.Endpoints[0].Id);
        if (topics is null)
        {
            var all = request.Broker.Topics.All;
            w.ArrayLength(all.Count);
            foreach (var topic in all) WriteTopic(request, topic, topic.Name, topic.Id, ErrorCode.None);
        }
        else
        {
            w.ArrayLength(topics.Count);
            foreach (var (name, id) in topics)
            {
                var (topic, error) = Resolve(request.Broker, name, id, mayCreate);
                WriteTopic(request, topic, topic?.Name ?? name, topic?.Id ?? id, error);
            }
        }

        if (v is >= 8 and <= 10) w.Int32(NoOperations);
        w.Tags();
    }

    public static void FindCoordinator(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var key = v <= 3 ? r.String() : null;
        var type = v >= 1 ? r.Byte() : (byte)0;
        if (v >= 1) w.Int32(0);
        if (key is not null)
        {
            var error = Check(key, type);
            var owner = request.Broker.Owner(key);
            w.Error(error);
            if (v >= 1) w.String(null);
            w.Int32(error == ErrorCode.None ? owner.Id : -1);
            w.String(error == ErrorCode.None ? owner.Host : "");
            w.Int32(error == ErrorCode.None ? owner.Port : -1);
            w.Tags();
            return;
        }

        var count = r.ArrayLength();
        w.ArrayLength(count);
        for (; count > 0; count--)
        {
            key = r.String();
            var error = Check(key, type);
            var owner = request.Broker.Owner(key);
            w.String(key);
            w.Int32(error == ErrorCode.None ? owner.Id : -1);
            w.String(error == ErrorCode.None ? owner.Host : "");
            w.Int32(error == ErrorCode.None ? owner.Port : -1);
            w.Error(error);
            w.String(null);
            w.Tags();
        }

        w.Tags();
    }

    public static void DescribeCluster(Request request)
    {
        var (w, v) = (request.Response, request.Version);
        w.Int32(0);
        w.Error(ErrorCode.None);
        w.String(null);
        if (v >= 1) w.Byte(1);
        w.String(request.Broker.Store.Meta.ClusterId);
        w.Int32(request.Broker.Endpoints[0].Id);
        WriteBrokers(w, request.Broker, withRack: true);
        w.Int32(NoOperations);
        w.Tags();
    }

    static ErrorCode Check(string key, byte type) => type == TransactionKeyType && key.Length == 0 ? ErrorCode.InvalidRequest : ErrorCode.None;

    static void WriteRange(WireWriter w, in ApiRange range)
    {
        w.Int16((short)range.Key);
        w.Int16(range.AnnouncedMin);
        w.Int16(range.Max);
        w.Tags();
    }

    /// <summary>Null = all topics.</summary>
    static List<(string? Name, Guid Id)>? ReadTopics(ref WireReader r, short v)
    {
        var count = r.ArrayLength();
        if (count < 0 || (v == 0 && count == 0)) return null;
        var topics = new List<(string?, Guid)>(Math.Min(count, 1024));
        for (; count > 0; count--)
        {
            var id = v >= 10 ? r.Uuid() : default;
            topics.Add((r.NullableString(), id));
            r.Tags();
        }

        return topics;
    }

    static void WriteBrokers(WireWriter w, Broker broker, bool withRack)
    {
        w.ArrayLength(broker.Endpoints.Length);
        foreach (var endpoint in broker.Endpoints)
        {
            w.Int32(endpoint.Id);
            w.String(endpoint.Host);
            w.Int32(endpoint.Port);
            if (withRack) w.String(null);
            w.Tags();
        }
    }

    static (Topic?, ErrorCode) Resolve(Broker broker, string? name, Guid id, bool mayCreate)
    {
        if (name is null) return broker.Topics.Find(id) is { } byId ? (byId, ErrorCode.None) : (null, ErrorCode.UnknownTopicId);
        if (broker.Topics.Find(name) is { } byName) return (byName, ErrorCode.None);
        if (!TopicRegistry.IsValidName(name)) return (null, ErrorCode.InvalidTopic);
        if (!mayCreate || !broker.Options.AutoCreateTopics) return (null, ErrorCode.UnknownTopicOrPartition);
        broker.Topics.Create(name, broker.Options.DefaultPartitions, (short)Math.Min(3, broker.Endpoints.Length), []);
        // Another request may have been first; either way it exists now.
        return broker.Topics.Find(name) is { } created ? (created, ErrorCode.None) : (null, ErrorCode.UnknownTopicOrPartition);
    }

    static void WriteTopic(Request request, Topic? topic, string? name, Guid id, ErrorCode error)
    {
        var (w, v) = (request.Response, request.Version);
        w.Error(error);
        w.String(v >= 12 ? name : name ?? "");
        if (v >= 10) w.Uuid(id);
        if (v >= 1) w.Bool(topic?.IsInternal ?? false);
        var partitions = topic?.Partitions ?? [];
        w.ArrayLength(partitions.Length);
        foreach (var log in partitions)
        {
            var replicas = request.Broker.Replicas(topic!.Meta, log.Partition);
            w.Error(ErrorCode.None);
            w.Int32(log.Partition);
            w.Int32(replicas[0]);
            if (v >= 7) w.Int32(0);
            w.Int32Array(replicas);
            w.Int32Array(replicas);
            if (v >= 5) w.ArrayLength(0);
            w.Tags();
        }

        if (v >= 8) w.Int32(NoOperations);
        w.Tags();
    }
}
