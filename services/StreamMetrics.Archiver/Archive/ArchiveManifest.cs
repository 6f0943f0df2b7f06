using System.Text.Json.Serialization;

namespace StreamMetrics.Archiver.Archive;

/// <summary>What a partition held when it was exported, and the file that holds it now: docs/formats/archive.md.</summary>
sealed record ArchiveManifest
{
    /// <summary>The version of the format that this program writes and reads.</summary>
    public const int CurrentFormat = 1;

    public const string Suffix = ".json";

    public required int Format { get; init; }

    /// <summary>Name of the partition, e.g. <c>metric_aggregates_20261122</c>.</summary>
    public required string Partition { get; init; }

    public required string Table { get; init; }

    /// <summary>First instant of the partition.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>End of the partition, exclusive.</summary>
    public required DateTimeOffset To { get; init; }

    public required TableContent Content { get; init; }

    /// <summary>Step of the database's schema at the export.</summary>
    public required int SchemaVersion { get; init; }

    /// <summary>The columns of a line, in their order.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>Name of the file with the rows.</summary>
    public required string File { get; init; }

    /// <summary>Length and SHA-256 of that file.</summary>
    public required Digest FileDigest { get; init; }

    /// <summary>Length and SHA-256 of what it holds, decompressed.</summary>
    public required Digest LinesDigest { get; init; }

    public required DateTimeOffset ExportedAt { get; init; }

    public static string NameOf(string partition) => partition + Suffix;
}

/// <summary>Length and checksum of bytes.</summary>
/// <param name="Bytes">How many.</param>
/// <param name="Sha256">SHA-256, hexadecimal in lower case.</param>
sealed record Digest(long Bytes, string Sha256);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ArchiveManifest))]
sealed partial class ArchiveJson : JsonSerializerContext;
