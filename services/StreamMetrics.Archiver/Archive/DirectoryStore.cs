namespace StreamMetrics.Archiver.Archive;

/// <summary>The archive in a folder.</summary>
sealed class DirectoryStore(string folder) : IArchiveStore
{
    readonly string _folder = Path.GetFullPath(folder);

    public string Location => _folder;

    // The same file system, so that a file is put by renaming it.
    public string WorkFolder => Directory.CreateDirectory(_folder).FullName;

    public Task PutAsync(string name, string workFile, CancellationToken cancellationToken)
    {
        File.Move(workFile, Path.Combine(_folder, name), overwrite: true);
        return Task.CompletedTask;
    }

    public Task<Stream?> OpenAsync(string name, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_folder, name);
        return Task.FromResult<Stream?>(File.Exists(path) ? File.OpenRead(path) : null);
    }

    public Task<IReadOnlyList<string>> ListAsync(string ending, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>(
            Directory.Exists(_folder) ? [.. Directory.EnumerateFiles(_folder, "*" + ending).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)] : []);
}
