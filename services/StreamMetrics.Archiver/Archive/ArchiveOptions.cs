using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace StreamMetrics.Archiver.Archive;

/// <summary>
/// Section <c>Archiver:Archive</c>: where expired partitions go before they are dropped: a directory, or a bucket of any server that speaks
/// S3. With neither they are dropped without a copy.
/// </summary>
sealed class ArchiveOptions
{
    public const string Section = "Archiver:Archive";

    /// <summary>Folder of the archive; made when it is not there.</summary>
    public string? Directory { get; set; }

    /// <summary>Bucket of the archive; it must exist.</summary>
    [RegularExpression("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")]
    public string? Bucket { get; set; }

    /// <summary>What the names of all objects begin with, e.g. <c>streammetrics/</c>.</summary>
    [RegularExpression("[A-Za-z0-9/._-]{0,200}")]
    public string Prefix { get; set; } = "";

    /// <summary>Address of an S3 server other than Amazon's, e.g. <c>http://127.0.0.1:9000</c>.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Region of the bucket.</summary>
    [RegularExpression("[a-z0-9-]{1,50}")]
    public string? Region { get; set; }

    /// <summary>Access key. Without one the SDK looks where it always does: environment, profile, instance role.</summary>
    public string? AccessKey { get; set; }

    /// <summary>The access key's secret.</summary>
    public string? SecretKey { get; set; }

    /// <summary>Where a partition is prepared before it goes to a bucket; by default the system's temporary folder. It needs room for one.</summary>
    public string? WorkDirectory { get; set; }

    /// <summary>Compression level of zstd.</summary>
    [Range(1, 19)]
    public int CompressionLevel { get; set; } = 3;

    /// <summary>After how long a failed export is tried again.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a restored partition stays before retention drops it again.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3660.00:00:00")]
    public TimeSpan RestoredRetention { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Whether there is an archive.</summary>
    public bool IsConfigured => !string.IsNullOrEmpty(Directory) || !string.IsNullOrEmpty(Bucket);
}

/// <summary>Rules that attributes cannot express.</summary>
sealed class ArchiveOptionsRules : IValidateOptions<ArchiveOptions>
{
    public ValidateOptionsResult Validate(string? name, ArchiveOptions options)
    {
        var failures = Failures(options).ToList();
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    static IEnumerable<string> Failures(ArchiveOptions o)
    {
        var hasBucket = !string.IsNullOrEmpty(o.Bucket);
        if (hasBucket && !string.IsNullOrEmpty(o.Directory)) yield return $"{Key(nameof(o.Bucket))} is '{o.Bucket}' and {Key(nameof(o.Directory))} is '{o.Directory}'; only one of them may be set.";
        if (hasBucket && string.IsNullOrEmpty(o.Endpoint) && string.IsNullOrEmpty(o.Region))
            yield return $"{Key(nameof(o.Bucket))} is '{o.Bucket}'; it needs {Key(nameof(o.Region))} or {Key(nameof(o.Endpoint))}.";
        if (!string.IsNullOrEmpty(o.Endpoint) && !(Uri.TryCreate(o.Endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
            yield return $"{Key(nameof(o.Endpoint))} is '{o.Endpoint}'; it must be an address such as http://127.0.0.1:9000.";
        if (string.IsNullOrEmpty(o.AccessKey) != string.IsNullOrEmpty(o.SecretKey))
            yield return $"{Key(nameof(o.AccessKey))} and {Key(nameof(o.SecretKey))} must be set together, or neither.";
    }

    static string Key(string property) => $"{ArchiveOptions.Section}:{property}";
}

[OptionsValidator]
sealed partial class ArchiveOptionsValidator : IValidateOptions<ArchiveOptions>;
