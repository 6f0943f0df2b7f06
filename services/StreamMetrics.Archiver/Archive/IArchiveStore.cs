namespace StreamMetrics.Archiver.Archive;

/// <summary>Where the archive's files are. A file appears whole or not at all, and is only ever replaced by one of the same name.</summary>
interface IArchiveStore
{
    /// <summary>What to call it in messages.</summary>
    string Location { get; }

    /// <summary>A folder of this machine for files that are about to be put.</summary>
    string WorkFolder { get; }

    /// <summary>Puts a file of the work folder, which is gone from there afterwards.</summary>
    Task PutAsync(string name, string workFile, CancellationToken cancellationToken);

    /// <summary>Opens a file for reading from its beginning; null when there is none.</summary>
    Task<Stream?> OpenAsync(string name, CancellationToken cancellationToken);

    /// <summary>Names of all files with an ending.</summary>
    Task<IReadOnlyList<string>> ListAsync(string ending, CancellationToken cancellationToken);
}
