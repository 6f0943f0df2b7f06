using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using StreamMetrics.Archiver.Database;
using ZstdSharp;

namespace StreamMetrics.Archiver.Archive;

/// <summary>
/// The archive of expired partitions: for each a file with its rows and a manifest, which is written after the file and names it, so a manifest
/// never stands for something that is not there. What was written is read back before anybody relies on it.
/// </summary>
sealed class ColdArchive(IArchiveStore store, IOptions<ArchiveOptions> options, ArchiverMetrics metrics, TimeProvider time, ILogger<ColdArchive> logger)
{
    public string Location => store.Location;

    /// <summary>Exports a partition, reads everything back and compares it.</summary>
    /// <returns>The manifest, verified.</returns>
    /// <exception cref="ArchiveException">What was read back differs.</exception>
    public async Task<ArchiveManifest> ExportAsync(NpgsqlConnection connection, PartitionedTable table, TablePartition partition, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        // Fixed names: what a crash left behind is overwritten by the next try.
        var workFile = Path.Combine(store.WorkFolder, $"{partition.Name}.part");
        var manifest = await PartitionExporter.ExportAsync(
            connection, table, partition, workFile, options.Value.CompressionLevel, time.GetUtcNow(), cancellationToken);
        await store.PutAsync(manifest.File, workFile, cancellationToken);
        await using (var file = File.Create(workFile)) await JsonSerializer.SerializeAsync(file, manifest, ArchiveJson.Default.ArchiveManifest, cancellationToken);
        await store.PutAsync(ArchiveManifest.NameOf(partition.Name), workFile, cancellationToken);
        var found = await FindAsync(partition.Name, cancellationToken) ?? throw new ArchiveException($"{Location} does not have the manifest of {partition.Name} that was just written.");
        await VerifyAsync(found, cancellationToken);
        metrics.Archived(manifest.FileDigest.Bytes);
        var duration = time.GetElapsedTime(started);
        Log.PartitionArchived(logger, partition.Name, Location, manifest.Content.Rows, manifest.FileDigest.Bytes, duration);
        return found;
    }

    /// <summary>Names of the partitions that the archive has.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await store.ListAsync(ArchiveManifest.Suffix, cancellationToken)).Select(name => name[..^ArchiveManifest.Suffix.Length])];

    /// <summary>The manifest of a partition; null when it is not in the archive.</summary>
    /// <exception cref="ArchiveException">It is no manifest of this program.</exception>
    public async Task<ArchiveManifest?> FindAsync(string partition, CancellationToken cancellationToken)
    {
        var name = ArchiveManifest.NameOf(partition);
        await using var stream = await store.OpenAsync(name, cancellationToken);
        if (stream is null) return null;
        try
        {
            var manifest = await JsonSerializer.DeserializeAsync(stream, ArchiveJson.Default.ArchiveManifest, cancellationToken);
            if (manifest is null || manifest.Partition != partition) throw new ArchiveException($"{name} in {Location} is not the manifest of {partition}.");
            if (manifest.Format != ArchiveManifest.CurrentFormat)
                throw new ArchiveException($"{name} in {Location} has format {manifest.Format.ToString(CultureInfo.InvariantCulture)}; this program knows {ArchiveManifest.CurrentFormat}.");
            return manifest;
        }
        catch (JsonException e)
        {
            throw new ArchiveException($"{name} in {Location} is no manifest: {e.Message}", e);
        }
    }

    /// <summary>Reads a partition's file from end to end and compares it with its manifest.</summary>
    /// <exception cref="ArchiveException">It is missing or differs.</exception>
    public Task VerifyAsync(ArchiveManifest manifest, CancellationToken cancellationToken) => ReadAsync(manifest, Stream.Null, cancellationToken);

    /// <summary>Copies the lines of a partition to a stream.</summary>
    /// <exception cref="ArchiveException">The file is missing or differs from the manifest, which may show at the end only: nothing may be kept of it then.</exception>
    public async Task ReadAsync(ArchiveManifest manifest, Stream target, CancellationToken cancellationToken)
    {
        await using var file = await store.OpenAsync(manifest.File, cancellationToken) ?? throw new ArchiveException($"{manifest.File} is missing in {Location}.");
        await using var compressed = new DigestStream(file);
        await using var lines = new DigestStream(target);
        try
        {
            await using var decompression = new DecompressionStream(compressed);
            await decompression.CopyToAsync(lines, cancellationToken);
            // What stands behind the last frame is read as well, so that the checksum is of the whole file.
            await compressed.CopyToAsync(Stream.Null, cancellationToken);
        }
        catch (Exception e) when (e is ZstdException or EndOfStreamException)
        {
            throw new ArchiveException($"{manifest.File} in {Location} is damaged: {e.Message}", e);
        }

        Compare(manifest, "file", manifest.FileDigest, compressed.Digest);
        Compare(manifest, "lines", manifest.LinesDigest, lines.Digest);
        if (lines.Lines != manifest.Content.Rows) throw new ArchiveException($"{manifest.File} in {Location} has {lines.Lines} rows, its manifest says {manifest.Content.Rows}.");
    }

    void Compare(ArchiveManifest manifest, string what, Digest expected, Digest found)
    {
        if (found != expected)
        {
            throw new ArchiveException(string.Create(
                CultureInfo.InvariantCulture,
                $"{manifest.File} in {Location} is damaged: its {what} have {found.Bytes} bytes and SHA-256 {found.Sha256}, the manifest says {expected.Bytes} and {expected.Sha256}."));
        }
    }
}
