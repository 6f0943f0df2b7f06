using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>A topic as it is stored. What later versions added is settable, because only then a missing value keeps its default when it is read.</summary>
internal sealed class TopicMeta
{
    public required string Name { get; init; }
    public required Guid Id { get; init; }
    public required int Partitions { get; set; }
    public required short ReplicationFactor { get; init; }
    public required Dictionary<string, string> Settings { get; init; }

    /// <summary>Broker ids per partition, leader first, where the creator gave them; otherwise they follow from <see cref="Broker.Replicas"/>.</summary>
    public Dictionary<int, int[]> Assignments { get; set => field = value ?? []; } = [];

    /// <summary>First offset per partition where DeleteRecords has moved it; retention's moves follow from the files.</summary>
    public Dictionary<int, long> StartOffsets { get; set; } = [];
}

/// <summary>Everything about the cluster that is not in a log.</summary>
internal sealed class ClusterMeta
{
    /// <summary>Format of this file; a newer one is refused.</summary>
    public int Version { get; init; } = MetaStore.FormatVersion;

    public required string ClusterId { get; init; }

    /// <summary>Producer ids below this one may be in use. Raised in blocks, so an id is never given twice, whatever the crash.</summary>
    public long ProducerIdsReserved { get; set; }

    public List<TopicMeta> Topics { get; set; } = [];

    /// <summary>Settings of brokers ("" = all) changed through the admin API; stored and reported only.</summary>
    public Dictionary<string, Dictionary<string, string>> BrokerSettings { get; set; } = [];
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ClusterMeta))]
internal sealed partial class MetaJson : JsonSerializerContext;

/// <summary>
/// Keeps <see cref="ClusterMeta"/> in one file that is written anew and renamed into place on every change, so it is always whole.
/// Changes are rare (topics, settings, blocks of producer ids). Every access is under <see cref="Gate"/>.
/// </summary>
internal sealed class MetaStore
{
    public const int FormatVersion = 1;
    readonly string _path;

    MetaStore(string path, ClusterMeta meta) => (_path, Meta) = (path, meta);

    public Lock Gate { get; } = new();

    public ClusterMeta Meta { get; }

    /// <exception cref="InvalidDataException">The file is damaged or written by a newer version.</exception>
    public static MetaStore Open(string directory)
    {
        var path = Path.Combine(directory, "meta.json");
        if (!File.Exists(path))
        {
            var store = new MetaStore(path, new() { ClusterId = Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_') });
            store.Save();
            return store;
        }

        try
        {
            var meta = JsonSerializer.Deserialize(File.ReadAllBytes(path), MetaJson.Default.ClusterMeta) ?? throw new JsonException("The file is empty.");
            if (meta.Version > FormatVersion) throw new InvalidDataException($"{path} has format {meta.Version}, this broker reads up to {FormatVersion}.");
            return new(path, meta);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Changes the contents and writes the file; what cannot be written is taken back.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Change(Action change, Action undo)
    {
        change();
        try
        {
            Save();
        }
        catch
        {
            undo();
            throw;
        }
    }

    /// <summary>Writes the file; it is on disk when this returns.</summary>
    public void Save()
    {
        var temporary = _path + ".tmp";
        using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, JsonSerializer.SerializeToUtf8Bytes(Meta, MetaJson.Default.ClusterMeta), 0);
            RandomAccess.FlushToDisk(file);
        }

        File.Move(temporary, _path, overwrite: true);
    }
}
