using System.Runtime.InteropServices;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>CreateTopics v2-7, DeleteTopics v1-6, CreatePartitions v0-3.</summary>
internal static class TopicHandlers
{
    readonly record struct Wanted(string Name, int Partitions, short ReplicationFactor, Dictionary<int, int[]> Assignments, bool AssignmentIsValid, Dictionary<string, string?> Settings);

    public static void Create(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var wanted = new List<Wanted>();
        for (var count = r.ArrayLength(); count > 0; count--) wanted.Add(ReadTopic(ref r, request.Broker));
        r.Int32();
        var validateOnly = r.Bool();
        w.Int32(0);
        w.ArrayLength(wanted.Count);
        foreach (var topic in wanted)
        {
            var twice = wanted.Count(other => other.Name == topic.Name) > 1;
            var (error, message, created) = twice ? (ErrorCode.InvalidRequest, "The topic is named twice in the request.", null) : Create(request.Broker, topic, validateOnly);
            w.String(topic.Name);
            if (v >= 7) w.Uuid(created?.Id ?? default);
            w.Error(error);
            w.String(message);
            if (v >= 5) WriteCreated(w, request.Broker, created);
            w.Tags();
        }

        w.Tags();
    }

    public static void Delete(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var count = r.ArrayLength();
        w.Int32(0);
        w.ArrayLength(count);
        for (; count > 0; count--)
        {
            var name = v >= 6 ? r.NullableString() : r.String();
            var id = v >= 6 ? r.Uuid() : default;
            if (v >= 6) r.Tags();
            var topic = name is null ? request.Broker.Topics.Find(id) : request.Broker.Topics.Find(name);
            var missing = name is null ? ErrorCode.UnknownTopicId : ErrorCode.UnknownTopicOrPartition;
            var error = topic is null ? missing : request.Broker.Topics.Delete(topic);
            w.String(topic?.Name ?? name);
            if (v >= 6) w.Uuid(topic?.Id ?? id);
            w.Error(error);
            if (v >= 5) w.String(null);
            w.Tags();
        }

        w.Tags();
    }

    public static void CreatePartitions(Request request)
    {
        var r = request.Reader();
        var w = request.Response;
        var wanted = new List<(string Name, int Count, List<int[]> Assignments)>();
        for (var topics = r.ArrayLength(); topics > 0; topics--)
        {
            var (name, count, given) = (r.String(), r.Int32(), new List<int[]>());
            for (var assignments = r.ArrayLength(); assignments > 0; assignments--)
            {
                given.Add(r.Int32Array());
                r.Tags();
            }

            r.Tags();
            wanted.Add((name, count, given));
        }

        r.Int32();
        var validateOnly = r.Bool();
        w.Int32(0);
        w.ArrayLength(wanted.Count);
        foreach (var (name, count, given) in wanted)
        {
            var topic = request.Broker.Topics.Find(name);
            var error = topic is null ? ErrorCode.UnknownTopicOrPartition
                : count <= topic.Partitions.Length ? ErrorCode.InvalidPartitions
                : given.Count > 0 && (given.Count != count - topic.Partitions.Length || !given.TrueForAll(ids => AreKnown(request.Broker, ids))) ? ErrorCode.InvalidReplicaAssignment
                : validateOnly ? ErrorCode.None
                : request.Broker.Topics.AddPartitions(topic, count, given);
            w.String(name);
            w.Error(error);
            w.String(error switch
            {
                ErrorCode.InvalidReplicaAssignment => "The assignment must name known brokers for each new partition.",
                ErrorCode.InvalidPartitions => $"The topic has {topic!.Partitions.Length} partitions, the new number must be larger than that and not {count}.",
                _ => null,
            });
            w.Tags();
        }

        w.Tags();
    }

    static Wanted ReadTopic(ref WireReader r, Broker broker)
    {
        var (name, partitions, factor, assigned, valid) = (r.String(), r.Int32(), r.Int16(), new Dictionary<int, int[]>(), true);
        for (var assignments = r.ArrayLength(); assignments > 0; assignments--)
        {
            var (partition, brokers) = (r.Int32(), r.Int32Array());
            valid &= assigned.TryAdd(partition, brokers) && AreKnown(broker, brokers);
            factor = (short)brokers.Length;
            r.Tags();
        }

        valid &= assigned.Count == 0 || (assigned.Keys.Min() == 0 && assigned.Keys.Max() == assigned.Count - 1);
        var settings = new Dictionary<string, string?>();
        for (var count = r.ArrayLength(); count > 0; count--)
        {
            settings[r.String()] = r.NullableString();
            r.Tags();
        }

        r.Tags();
        return new(name, partitions, factor, assigned, valid, settings);
    }

    static (ErrorCode, string?, Topic?) Create(Broker broker, in Wanted wanted, bool validateOnly)
    {
        if (!TopicRegistry.IsValidName(wanted.Name))
            return (ErrorCode.InvalidTopic, $"Topic name '{wanted.Name}' is not valid: 1 to 249 letters, digits, '.', '_' or '-', not '.' or '..'.", null);
        if (broker.Topics.Find(wanted.Name) is not null) return (ErrorCode.TopicAlreadyExists, $"Topic '{wanted.Name}' already exists.", null);
        if (!wanted.AssignmentIsValid) return (ErrorCode.InvalidReplicaAssignment, "The replica assignment must name partitions 0 to n-1 once and known brokers.", null);
        if (wanted.Assignments.Count > 0 && wanted.Partitions != -1 && wanted.Partitions != wanted.Assignments.Count)
            return (ErrorCode.InvalidRequest, "Both a number of partitions and an assignment are given.", null);
        var partitions = wanted.Assignments.Count > 0 ? wanted.Assignments.Count : wanted.Partitions == -1 ? broker.Options.DefaultPartitions : wanted.Partitions;
        if (partitions < 1) return (ErrorCode.InvalidPartitions, "Number of partitions must be larger than 0, or -1 to use the default value.", null);
        var brokers = broker.Endpoints.Length;
        var factor = wanted.ReplicationFactor == -1 ? (short)Math.Min(3, brokers) : wanted.ReplicationFactor;
        if (factor < 1 || factor > brokers)
            return (ErrorCode.InvalidReplicationFactor, $"Unable to replicate the partition {factor} time(s): {brokers} brokers are there.", null);

        var settings = new Dictionary<string, string>();
        foreach (var (name, value) in wanted.Settings)
        {
            if (ConfigTable.Check(name, value) is { } wrong) return (ErrorCode.InvalidConfig, wrong, null);
            settings[name] = value!;
        }

        if (validateOnly) return (ErrorCode.None, null, null);
        var (error, topic) = broker.Topics.Create(wanted.Name, partitions, factor, settings, wanted.Assignments);
        return (error, error == ErrorCode.None ? null : $"Topic '{wanted.Name}' cannot be created.", topic);
    }

    static void WriteCreated(WireWriter w, Broker broker, Topic? created)
    {
        w.Int32(created?.Partitions.Length ?? -1);
        w.Int16(created?.Meta.ReplicationFactor ?? -1);
        if (created is null)
        {
            w.ArrayLength(-1);
            return;
        }

        var entries = ConfigHandlers.TopicEntries(created);
        w.ArrayLength(entries.Count);
        foreach (var entry in CollectionsMarshal.AsSpan(entries))
        {
            w.String(entry.Name);
            w.String(entry.Value);
            w.Bool(false);
            w.Byte((byte)entry.Source);
            w.Bool(false);
            w.Tags();
        }
    }

    static bool AreKnown(Broker broker, int[] ids) => ids.Length > 0 && ids.Distinct().Count() == ids.Length && Array.TrueForAll(ids, id => id >= 1 && id <= broker.Endpoints.Length);
}
