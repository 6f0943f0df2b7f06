using System.Data;
using Npgsql;
using StreamMetrics.Archiver.Database;
using ZstdSharp;

namespace StreamMetrics.Archiver.Archive;

/// <summary>
/// Copies a partition, as of one instant, into a compressed file: the lines that PostgreSQL's own <c>COPY … TO STDOUT</c> writes, which its
/// <c>COPY … FROM STDIN</c> reads back to the same bits.
/// </summary>
static class PartitionExporter
{
    /// <summary>Exports a partition.</summary>
    /// <param name="connection">An open connection without a transaction.</param>
    /// <param name="table">The partition's table.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="workFile">The file to write.</param>
    /// <param name="compressionLevel">Level of zstd.</param>
    /// <param name="now">The time of the export.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArchiveException">The file does not hold what the table holds.</exception>
    public static async Task<ArchiveManifest> ExportAsync(
        NpgsqlConnection connection, PartitionedTable table, TablePartition partition, string workFile, int compressionLevel, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using (var settings = new NpgsqlCommand(TableContent.TextSettings, connection)) await settings.ExecuteNonQueryAsync(cancellationToken);
        var columns = await TableContent.ColumnsAsync(connection, partition.Name, cancellationToken);
        var content = await TableContent.ReadAsync(connection, partition.Name, columns, cancellationToken);
        var (file, lines, count) = await WriteAsync(connection, partition, columns, workFile, compressionLevel, cancellationToken);
        if (count != content.Rows) throw new ArchiveException($"{partition.Name} has {content.Rows} rows, but PostgreSQL copied {count} lines.");
        return new()
        {
            Format = ArchiveManifest.CurrentFormat,
            Partition = partition.Name,
            Table = table.Name,
            From = partition.From,
            To = partition.To,
            Content = content,
            SchemaVersion = await SchemaVersionAsync(connection, cancellationToken),
            Columns = columns,
            // Its checksum is part of its name: another export of the partition never overwrites this one.
            File = $"{partition.Name}.{file.Sha256[..12]}.tsv.zst",
            FileDigest = file,
            LinesDigest = lines,
            ExportedAt = now,
        };
    }

    static async Task<(Digest File, Digest Lines, long Count)> WriteAsync(
        NpgsqlConnection connection, TablePartition partition, IReadOnlyList<string> columns, string workFile, int compressionLevel, CancellationToken cancellationToken)
    {
        await using var file = File.Create(workFile);
        await using var compressed = new DigestStream(file);
        Digest lines;
        long count;
        await using (var compression = new CompressionStream(compressed, compressionLevel))
        {
            await using var text = new DigestStream(compression);
            using var source = (StreamReader)await connection.BeginTextExportAsync($"COPY {partition.Name} ({TableContent.List(columns)}) TO STDOUT", cancellationToken);
            // The reader's bytes, as they come from the server: nothing is decoded.
            await source.BaseStream.CopyToAsync(text, cancellationToken);
            (lines, count) = (text.Digest, text.Lines);
        }

        await file.FlushAsync(cancellationToken);
        file.Flush(flushToDisk: true);
        return (compressed.Digest, lines, count);
    }

    static async Task<int> SchemaVersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT max(version) FROM schema_migrations", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
