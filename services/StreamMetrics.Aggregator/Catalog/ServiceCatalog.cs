using System.Collections.Frozen;
using System.Text;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using StreamMetrics.ServiceDefaults.Startup;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Aggregator.Catalog;

/// <summary>
/// The service catalog of a JSON file. The file is looked at every few seconds, so that it may be a mounted volume whose changes nobody
/// announces. A change that breaks a rule is reported and not taken: what was known before stays.
/// </summary>
sealed class ServiceCatalog : IServiceCatalog, IDisposable
{
    readonly string _path;
    readonly ILogger<ServiceCatalog> _logger;
    readonly PhysicalFileProvider? _files;
    readonly IDisposable? _watch;
    volatile CatalogSnapshot _snapshot = CatalogSnapshot.Empty;

    /// <summary>Reads the file, if one is configured.</summary>
    /// <exception cref="StartupException">It cannot be read or breaks a rule.</exception>
    public ServiceCatalog(IOptions<CatalogOptions> options, ILogger<ServiceCatalog> logger)
    {
        _logger = logger;
        _path = options.Value.File.Length == 0 ? "" : Path.GetFullPath(options.Value.File);
        if (_path.Length == 0) return;
        try
        {
            _snapshot = Read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new StartupException($"{CatalogOptions.Section}:{nameof(CatalogOptions.File)} is '{options.Value.File}': {e.Message}", e);
        }

        _files = new(Path.GetDirectoryName(_path)!) { UsePollingFileWatcher = true, UseActivePolling = true };
        _watch = ChangeToken.OnChange(() => _files.Watch(Path.GetFileName(_path)), Reload);
    }

    /// <summary>What the file says now; another object after each change.</summary>
    public CatalogSnapshot Snapshot => _snapshot;

    /// <inheritdoc/>
    public byte[]? Find(ReadOnlySpan<byte> serviceId) => _snapshot.Find(serviceId);

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch?.Dispose();
        _files?.Dispose();
    }

    CatalogSnapshot Read() => CatalogSnapshot.Parse(File.ReadAllBytes(_path));

    void Reload()
    {
        try
        {
            _snapshot = Read();
            Log.CatalogRead(_logger, _path, _snapshot.Services.Count);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            Log.CatalogRefused(_logger, _path, e.Message);
        }
    }
}

/// <summary>What a catalog file says.</summary>
/// <param name="services">Attributes by serviceId, as JSON.</param>
sealed class CatalogSnapshot(FrozenDictionary<string, byte[]> services)
{
    /// <summary>Nothing.</summary>
    public static readonly CatalogSnapshot Empty = new(FrozenDictionary<string, byte[]>.Empty);

    /// <summary>Attributes by serviceId: a JSON object of strings each.</summary>
    public FrozenDictionary<string, byte[]> Services => services;

    /// <summary>The attributes of a service; null when it is not in the catalog.</summary>
    public byte[]? Find(ReadOnlySpan<byte> serviceId) => services.Count == 0 ? null : services.GetValueOrDefault(Encoding.UTF8.GetString(serviceId));

    /// <summary>Reads the file's content (docs/service-catalog.md).</summary>
    /// <exception cref="FormatException">It breaks a rule, which the message names with service and attribute.</exception>
    public static CatalogSnapshot Parse(byte[] json) => new(CatalogFile.Parse(json).ToFrozenDictionary(StringComparer.Ordinal));
}
