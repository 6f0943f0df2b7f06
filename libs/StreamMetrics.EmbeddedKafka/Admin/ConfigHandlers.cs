using System.Globalization;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>Where a configuration value comes from, as DescribeConfigs reports it.</summary>
internal enum ConfigSource : byte
{
    Unknown = 0,
    DynamicTopic = 1,
    DynamicBroker = 2,
    StaticBroker = 4,
    Default = 5,
}

internal readonly record struct ConfigEntry(string Name, string Value, ConfigSource Source, ConfigType Type, string? BrokerName, string? Default);

/// <summary>DescribeConfigs v1-4, AlterConfigs v0-2, IncrementalAlterConfigs v0-1.</summary>
internal static class ConfigHandlers
{
    const byte TopicResource = 2, BrokerResource = 4;
    const byte Set = 0, Remove = 1, Append = 2, Subtract = 3;

    readonly record struct Change(string Name, byte Operation, string? Value);

    public static void Describe(Request request)
    {
        var r = request.Reader();
        var (w, v) = (request.Response, request.Version);
        var wanted = new List<(byte Type, string Name, HashSet<string>? Keys)>();
        for (var count = r.ArrayLength(); count > 0; count--)
        {
            var (type, name) = (r.Byte(), r.String());
            var keys = r.ArrayLength();
            var filter = keys < 0 ? null : new HashSet<string>();
            for (; keys > 0; keys--) filter!.Add(r.String());
            r.Tags();
            wanted.Add((type, name, filter));
        }

        var withSynonyms = r.Bool();
        w.Int32(0);
        w.ArrayLength(wanted.Count);
        foreach (var (type, name, filter) in wanted)
        {
            var (error, message, entries) = Find(request.Broker, type, name);
            // Kafka takes an empty list as all, like null.
            if (filter is { Count: > 0 }) entries = entries.FindAll(entry => filter.Contains(entry.Name));
            w.Error(error);
            w.String(message);
            w.Byte(type);
            w.String(name);
            w.ArrayLength(entries.Count);
            foreach (var entry in entries) WriteEntry(w, entry, withSynonyms, v);
            w.Tags();
        }

        w.Tags();
    }

    public static void Alter(Request request) => Alter(request, incremental: false);

    public static void AlterIncrementally(Request request) => Alter(request, incremental: true);

    /// <summary>Every setting of a topic with its origin.</summary>
    public static List<ConfigEntry> TopicEntries(Topic topic)
    {
        var entries = new List<ConfigEntry>(ConfigTable.Topic.Length);
        foreach (var definition in ConfigTable.Topic)
        {
            var isSet = topic.Meta.Settings.TryGetValue(definition.Name, out var value);
            entries.Add(new(definition.Name, isSet ? value! : definition.Default, isSet ? ConfigSource.DynamicTopic : ConfigSource.Default, definition.Type,
                definition.BrokerName, definition.Default));
        }

        foreach (var (name, value) in topic.Meta.Settings)
        {
            if (ConfigTable.Find(name) is null) entries.Add(new(name, value, ConfigSource.DynamicTopic, ConfigType.String, null, null));
        }

        return entries;
    }

    static void Alter(Request request, bool incremental)
    {
        var r = request.Reader();
        var w = request.Response;
        var wanted = new List<(byte Type, string Name, List<Change> Changes)>();
        for (var count = r.ArrayLength(); count > 0; count--)
        {
            var (type, name, changes) = (r.Byte(), r.String(), new List<Change>());
            for (var entries = r.ArrayLength(); entries > 0; entries--)
            {
                changes.Add(new(r.String(), incremental ? r.Byte() : Set, r.NullableString()));
                r.Tags();
            }

            r.Tags();
            wanted.Add((type, name, changes));
        }

        var validateOnly = r.Bool();
        w.Int32(0);
        w.ArrayLength(wanted.Count);
        foreach (var (type, name, changes) in wanted)
        {
            var (error, message) = Apply(request.Broker, type, name, changes, incremental, validateOnly);
            w.Error(error);
            w.String(message);
            w.Byte(type);
            w.String(name);
            w.Tags();
        }

        w.Tags();
    }

    static (ErrorCode, string?) Apply(Broker broker, byte type, string name, List<Change> changes, bool incremental, bool validateOnly)
    {
        if (type == BrokerResource) return ApplyToBroker(broker, name, changes, incremental, validateOnly);
        if (type != TopicResource) return (ErrorCode.InvalidRequest, "Only topics and brokers have settings.");
        if (broker.Topics.Find(name) is not { } topic) return (ErrorCode.UnknownTopicOrPartition, $"Topic '{name}' is not known.");
        var settings = incremental ? new(topic.Meta.Settings) : new Dictionary<string, string>();
        foreach (var change in changes)
        {
            if (ConfigTable.Find(change.Name) is null && ConfigTable.Check(change.Name, change.Value) is { } unknown) return (ErrorCode.InvalidConfig, unknown);
            if (Merge(settings, change) is { } wrong) return (ErrorCode.InvalidConfig, wrong);
        }

        if (!validateOnly) broker.Topics.Configure(topic, settings);
        return (ErrorCode.None, null);
    }

    /// <summary>Applies one change; returns what is wrong with it, or null.</summary>
    static string? Merge(Dictionary<string, string> settings, Change change)
    {
        if (change.Operation == Remove)
        {
            settings.Remove(change.Name);
            return null;
        }

        var value = change.Value;
        if (change.Operation is Append or Subtract)
        {
            if (ConfigTable.Find(change.Name) is not { Type: ConfigType.List } definition) return $"{change.Name} is not a list.";
            var parts = settings.GetValueOrDefault(change.Name, definition.Default).Split(',', StringSplitOptions.RemoveEmptyEntries);
            var named = (value ?? "").Split(',');
            value = string.Join(',', change.Operation == Append ? parts.Union(named) : parts.Except(named));
        }
        else if (change.Operation != Set)
        {
            return $"Operation {change.Operation} is not known.";
        }

        if (ConfigTable.Check(change.Name, value) is { } wrong) return wrong;
        settings[change.Name] = value!;
        return null;
    }

    static (ErrorCode, string?) ApplyToBroker(Broker broker, string name, List<Change> changes, bool incremental, bool validateOnly)
    {
        if (name.Length > 0 && !IsBroker(broker, name)) return (ErrorCode.InvalidRequest, $"Broker '{name}' is not known.");
        if (validateOnly) return (ErrorCode.None, null);
        lock (broker.Store.Gate)
        {
            var all = broker.Store.Meta.BrokerSettings;
            if (!all.TryGetValue(name, out var settings) || !incremental) all[name] = settings = [];
            foreach (var change in changes)
            {
                if (change.Operation == Remove || change.Value is null) settings.Remove(change.Name);
                else settings[change.Name] = change.Value;
            }

            broker.Store.Save();
        }

        return (ErrorCode.None, null);
    }

    static (ErrorCode, string?, List<ConfigEntry>) Find(Broker broker, byte type, string name) => type switch
    {
        TopicResource when broker.Topics.Find(name) is { } topic => (ErrorCode.None, null, TopicEntries(topic)),
        TopicResource => (ErrorCode.UnknownTopicOrPartition, $"Topic '{name}' is not known.", []),
        BrokerResource when name.Length == 0 || IsBroker(broker, name) => (ErrorCode.None, null, BrokerEntries(broker, name)),
        BrokerResource => (ErrorCode.InvalidRequest, $"Broker '{name}' is not known.", []),
        _ => (ErrorCode.InvalidRequest, $"Resource type {type} has no settings.", []),
    };

    static List<ConfigEntry> BrokerEntries(Broker broker, string name)
    {
        string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
        var entries = new List<ConfigEntry>
        {
            new("broker.id", name, ConfigSource.StaticBroker, ConfigType.Int, null, null),
            new("auto.create.topics.enable", broker.Options.AutoCreateTopics ? "true" : "false", ConfigSource.StaticBroker, ConfigType.Boolean, null, null),
            new("num.partitions", Number(broker.Options.DefaultPartitions), ConfigSource.StaticBroker, ConfigType.Int, null, null),
            new("default.replication.factor", Number(Math.Min(3, broker.Endpoints.Length)), ConfigSource.StaticBroker, ConfigType.Int, null, null),
            new("transaction.max.timeout.ms", Number(broker.Options.TransactionMaxTimeout.TotalMilliseconds), ConfigSource.StaticBroker, ConfigType.Int, null, null),
            new("group.initial.rebalance.delay.ms", Number(broker.Options.GroupInitialRebalanceDelay.TotalMilliseconds), ConfigSource.StaticBroker, ConfigType.Int, null, null),
        };
        foreach (var definition in ConfigTable.Topic) entries.Add(new(definition.BrokerName, definition.Default, ConfigSource.Default, definition.Type, null, null));
        lock (broker.Store.Gate)
        {
            foreach (var scope in new[] { "", name })
            {
                foreach (var (key, value) in broker.Store.Meta.BrokerSettings.GetValueOrDefault(scope) ?? [])
                {
                    entries.RemoveAll(entry => entry.Name == key);
                    entries.Add(new(key, value, ConfigSource.DynamicBroker, ConfigType.String, null, null));
                }
            }
        }

        return entries;
    }

    static bool IsBroker(Broker broker, string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id >= 1 && id <= broker.Endpoints.Length;

    static void WriteEntry(WireWriter w, in ConfigEntry entry, bool withSynonyms, short v)
    {
        w.String(entry.Name);
        w.String(entry.Value);
        w.Bool(entry.Name == "broker.id");
        w.Byte((byte)entry.Source);
        w.Bool(false);
        WriteSynonyms(w, entry, withSynonyms);
        if (v >= 3)
        {
            w.Byte((byte)entry.Type);
            w.String(null);
        }

        w.Tags();
    }

    static void WriteSynonyms(WireWriter w, in ConfigEntry entry, bool wanted)
    {
        var own = entry.Source == ConfigSource.DynamicTopic;
        w.ArrayLength(!wanted ? 0 : (own ? 1 : 0) + (entry.BrokerName is null ? 0 : 1));
        if (!wanted) return;
        if (own) WriteSynonym(w, entry.Name, entry.Value, entry.Source);
        if (entry.BrokerName is not null) WriteSynonym(w, entry.BrokerName, entry.Default!, ConfigSource.Default);
    }

    static void WriteSynonym(WireWriter w, string name, string value, ConfigSource source)
    {
        w.String(name);
        w.String(value);
        w.Byte((byte)source);
        w.Tags();
    }
}
