using System.Globalization;
using System.Text.RegularExpressions;

namespace StreamMetrics.TestSupport;

/// <summary>
/// A folder of its own under the machine's temporary folder, deleted with all it holds on dispose. What a test process that was killed left
/// behind is deleted by the next one.
/// </summary>
public sealed partial class TempFolder : IDisposable
{
    // The real /tmp where there is one: servers that run as another user must reach it, and socket paths have about 100 characters.
    static readonly string Parent = Directory.Exists("/tmp") ? "/tmp" : System.IO.Path.GetTempPath();

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    static TempFolder()
    {
        foreach (var folder in Directory.EnumerateDirectories(Parent, "streammetrics-*-*-*"))
        {
            if (OwnName().Match(folder) is { Success: true } name && int.TryParse(name.Groups["pid"].ValueSpan, out var pid) && !ChildProcess.IsRunning(pid)) Sweep(folder);
        }
    }

    /// <summary>Creates the folder.</summary>
    /// <param name="purpose">Stands in the name, so that a left-over says whose it was.</param>
    public TempFolder(string purpose = "test")
    {
        Path = System.IO.Path.Combine(Parent, string.Create(CultureInfo.InvariantCulture, $"streammetrics-{purpose}-{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..8]}"));
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
        // A server that was killed may have children that still make and remove files of their own, until they notice: then a file vanishes under our hands.
        var started = TimeProvider.System.GetTimestamp();
        while (Directory.Exists(Path))
        {
            try
            {
                Directory.Delete(Path, recursive: true);
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(started) < Patience)
            {
                Thread.Yield();
            }
        }
    }

    static void Sweep(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another test process sweeps at the same time, or it is another user's: not this test's concern.
        }
    }

    [GeneratedRegex(@"/streammetrics-[a-z-]+-(?<pid>\d+)-[0-9a-f]{8}$")]
    private static partial Regex OwnName();
}
