namespace StreamMetrics.TestSupport;

/// <summary>Where the repository is on disk: the nearest folder above the test's binaries that holds <c>StreamMetrics.sln</c>.</summary>
public static class RepositoryRoot
{
    /// <summary>The folder's full path, without a separator at the end.</summary>
    public static string Path { get; } = Find();

    /// <summary>The build configuration the tests run in: the folder under <c>bin</c>, <c>Debug</c> or <c>Release</c>.</summary>
    public static string Configuration { get; } =
        new DirectoryInfo(AppContext.BaseDirectory).Parent?.Name ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is not bin/<configuration>/<framework>.");

    /// <summary>Full path of a file or folder of the repository.</summary>
    /// <param name="parts">Its path below the root.</param>
    public static string Combine(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "StreamMetrics.sln"))) return folder.FullName;
        }

        throw new InvalidOperationException($"No StreamMetrics.sln above {AppContext.BaseDirectory}.");
    }
}
