namespace StreamMetrics.TestSupport;

/// <summary>A folder of its own under the machine's temporary folder, deleted with all it holds on dispose.</summary>
public sealed class TempFolder : IDisposable
{
    /// <summary>Creates the folder.</summary>
    /// <param name="purpose">Stands in the name, so that a left-over says whose it was.</param>
    public TempFolder(string purpose = "test")
    {
        // The real /tmp where there is one: servers that run as another user must reach it, and socket paths have about 100 characters.
        var parent = Directory.Exists("/tmp") ? "/tmp" : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(parent, $"streammetrics-{purpose}-{Guid.NewGuid().ToString("N")[..12]}");
        Directory.CreateDirectory(Path);
    }

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>Full path of something in the folder.</summary>
    /// <param name="name">Its name.</param>
    public string Combine(string name) => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose()
    {
        // A server that was killed may have children that still remove files of their own: then a file vanishes under our hands.
        for (var attempt = 1; Directory.Exists(Path); attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
            }
            catch (IOException) when (attempt < 20)
            {
                Thread.Yield();
            }
        }
    }
}
