using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>All topics. The meta file says what exists; after a crash stray folders are removed at start.</summary>
internal sealed class TopicRegistry
{
    /// <summary>Committed offsets and groups, as in Kafka.</summary>
    public const string Offsets = "__consumer_offsets";

    /// <summary>States of transactions, as in Kafka.</summary>
    public const string Transactions = "__transaction_state";

    const int MaxNameLength = 249;

    /// <summary>Bounds what one request can make the broker create.</summary>
    const int MaxPartitions = 1000;

    readonly ConcurrentDictionary<string, Topic> _byName = new();
    readonly ConcurrentDictionary<Guid, Topic> _byId = new();
    readonly ConcurrentDictionary<string, Topic>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    readonly MetaStore _store;
    readonly string _directory;
    readonly TimeProvider _time;
    readonly ILogger _logger;

    public TopicRegistry(MetaStore store, string directory, TimeProvider time, ILogger logger)
    {
        (_store, _directory, _time, _logger) = (store, Path.Combine(directory, "topics"), time, logger);
        _bySpan = _byName.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Told when a topic is deleted, after it is gone.</summary>
    public event Action<string>? Deleted;

    public ICollection<Topic> All => _byName.Values;

    /// <summary>Opens the logs of all topics, several at a time, and creates the internal topics of a new data folder.</summary>
    public void Open()
    {
        Directory.CreateDirectory(_directory);
        RemoveStrayFolders();
        Parallel.ForEach(_store.Meta.Topics, meta =>
        {
            var logs = new PartitionLog[meta.Partitions];
            Parallel.For(0, logs.Length, partition => logs[partition] = OpenLog(meta, partition));
            Register(new(meta, logs));
        });
        foreach (var name in new[] { Offsets, Transactions })
        {
            if (Find(name) is null) Create(name, 1, 1, new() { ["cleanup.policy"] = "compact", ["segment.bytes"] = "8388608", ["min.cleanable.dirty.ratio"] = "0.3" });
        }
    }

    public Topic? Find(string name) => _byName.GetValueOrDefault(name);

    public Topic? Find(Guid id) => _byId.GetValueOrDefault(id);

    /// <summary>Finds a topic by the bytes of a request, without making a string.</summary>
    public Topic? Find(ReadOnlySpan<byte> name)
    {
        if (name.Length > MaxNameLength) return null;
        Span<char> text = stackalloc char[MaxNameLength];
        var length = Encoding.UTF8.GetChars(name, text);
        return _bySpan.TryGetValue(text[..length], out var topic) ? topic : null;
    }

    public PartitionLog? Find(string name, int partition) => Find(name)?.Find(partition);

    public static bool IsValidName(string name)
    {
        if (name.Length is 0 or > MaxNameLength || name is "." or "..") return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-')) return false;
        }

        return true;
    }

    /// <summary>Creates a topic whose name and settings have been checked.</summary>
    public (ErrorCode Error, Topic? Topic) Create(string name, int partitions, short replicationFactor, Dictionary<string, string> settings, Dictionary<int, int[]>? assignments = null)
    {
        if (partitions is < 1 or > MaxPartitions) return (ErrorCode.InvalidPartitions, null);
        lock (_store.Gate)
        {
            if (_byName.ContainsKey(name)) return (ErrorCode.TopicAlreadyExists, null);
            var meta = new TopicMeta { Name = name, Id = Guid.NewGuid(), Partitions = partitions, ReplicationFactor = replicationFactor, Settings = settings, Assignments = assignments ?? [] };
            var logs = NewLogs(meta, 0, partitions, () => _store.Change(() => _store.Meta.Topics.Add(meta), () => _store.Meta.Topics.Remove(meta)));
            var topic = new Topic(meta, logs);
            Register(topic);
            return (ErrorCode.None, topic);
        }
    }

    public ErrorCode Delete(Topic topic)
    {
        if (topic.IsInternal) return ErrorCode.InvalidTopic;
        lock (_store.Gate)
        {
            if (!_byId.ContainsKey(topic.Id)) return ErrorCode.UnknownTopicOrPartition;
            _store.Change(() => _store.Meta.Topics.Remove(topic.Meta), () => _store.Meta.Topics.Add(topic.Meta));
            _byName.TryRemove(topic.Name, out _);
            _byId.TryRemove(topic.Id, out _);
            foreach (var log in topic.Partitions) log.DeleteFiles();
        }

        Deleted?.Invoke(topic.Name);
        return ErrorCode.None;
    }

    public ErrorCode AddPartitions(Topic topic, int count, List<int[]> assignments)
    {
        lock (_store.Gate)
        {
            var have = topic.Partitions.Length;
            if (count <= have || count > MaxPartitions) return ErrorCode.InvalidPartitions;
            // Assignments of partitions that are not there have no effect, so only the number has to be taken back.
            for (var i = 0; i < assignments.Count; i++) topic.Meta.Assignments[have + i] = assignments[i];
            var added = NewLogs(topic.Meta, have, count, () => _store.Change(() => topic.Meta.Partitions = count, () => topic.Meta.Partitions = have));
            topic.Partitions = [.. topic.Partitions, .. added];
            return ErrorCode.None;
        }
    }

    /// <summary>Replaces a topic's settings with checked ones.</summary>
    public void Configure(Topic topic, Dictionary<string, string> settings)
    {
        lock (_store.Gate)
        {
            var before = new Dictionary<string, string>(topic.Meta.Settings);
            _store.Change(() => Replace(topic.Meta.Settings, settings), () => Replace(topic.Meta.Settings, before));
            var parsed = ConfigTable.Parse(topic.Meta.Settings);
            foreach (var log in topic.Partitions) log.Settings = parsed;
        }
    }

    /// <summary>Moves the start of a partition up and remembers it.</summary>
    public ErrorCode DeleteRecords(Topic topic, PartitionLog log, ref long offset)
    {
        lock (_store.Gate)
        {
            var error = log.AdvanceStart(ref offset);
            if (error != ErrorCode.None) return error;
            topic.Meta.StartOffsets[log.Partition] = offset;
            _store.Save();
            return ErrorCode.None;
        }
    }

    public void Close()
    {
        lock (_store.Gate)
        {
            Parallel.ForEach(_byName.Values, static topic =>
            {
                foreach (var log in topic.Partitions) log.Dispose();
            });
        }
    }

    static void Replace(Dictionary<string, string> settings, Dictionary<string, string> with)
    {
        settings.Clear();
        foreach (var (name, value) in with) settings[name] = value;
    }

    void Register(Topic topic)
    {
        _byName[topic.Name] = topic;
        _byId[topic.Id] = topic;
    }

    /// <summary>
    /// The logs of new partitions, empty, and then the entry in the meta file that makes them count; a start removes folders that have none. When either
    /// fails there is neither.
    /// </summary>
    PartitionLog[] NewLogs(TopicMeta meta, int from, int to, Action enter)
    {
        var logs = new List<PartitionLog>();
        try
        {
            for (var i = from; i < to; i++)
            {
                // Left behind when the files of a topic of this name could not all be deleted.
                if (Directory.Exists(FolderOf(meta, i))) Directory.Delete(FolderOf(meta, i), recursive: true);
                logs.Add(OpenLog(meta, i));
            }

            enter();
            return [.. logs];
        }
        catch
        {
            foreach (var log in logs) log.DeleteFiles();
            throw;
        }
    }

    string FolderOf(TopicMeta meta, int partition) => Path.Combine(_directory, $"{meta.Name}-{partition}");

    PartitionLog OpenLog(TopicMeta meta, int partition)
    {
        var log = new PartitionLog(meta.Name, partition, FolderOf(meta, partition), ConfigTable.Parse(meta.Settings), _logger);
        log.Open(meta.StartOffsets.GetValueOrDefault(partition), _time.GetUtcNow().ToUnixTimeMilliseconds());
        return log;
    }

    void RemoveStrayFolders()
    {
        var wanted = new HashSet<string>();
        foreach (var meta in _store.Meta.Topics)
        {
            for (var i = 0; i < meta.Partitions; i++) wanted.Add($"{meta.Name}-{i}");
        }

        foreach (var folder in Directory.EnumerateDirectories(_directory))
        {
            if (!wanted.Contains(Path.GetFileName(folder))) Directory.Delete(folder, recursive: true);
        }
    }
}
