using System.Globalization;

namespace Aspire.Hosting.Orchestration;

/// <summary>
/// Remembers on disk which processes were started, so that the next run finds them when this one was killed and could not stop them.
/// A line is <c>pid, start time, name</c>, separated by tabs; pid and start time together name one process for ever. The lock belongs to
/// the running AppHost and goes with it, however it ends.
/// </summary>
sealed class ProcessRecord : IDisposable
{
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);
    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    readonly string _path;
    readonly FileStream _lock;
    readonly Lock _writing = new();
    readonly Dictionary<int, string> _running = [];

    ProcessRecord(string path, FileStream @lock)
    {
        _path = path;
        _lock = @lock;
    }

    /// <exception cref="DistributedApplicationException">Another run works with this folder.</exception>
    public static ProcessRecord Open(string folder)
    {
        Directory.CreateDirectory(folder);
        var lockPath = Path.Combine(folder, "run.lock");
        try
        {
            var file = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return new(Path.Combine(folder, "processes"), file);
        }
        catch (IOException)
        {
            throw new DistributedApplicationException($"another run uses the folder {folder}; stop it or choose another folder");
        }
    }

    /// <summary>Stops what an earlier run left behind. Returns what it was.</summary>
    public async Task<IReadOnlyList<string>> StopLeftoversAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var left = Read().Where(IsSame).ToArray();

        // Started last, stopped first: what needs others was started after them.
        foreach (var process in left.Reverse()) PosixProcess.Signal(process.Pid, PosixProcess.Terminate);
        var start = time.GetTimestamp();
        while (left.Any(IsSame) && time.GetElapsedTime(start) < Grace) await Task.Delay(Poll, time, cancellationToken).ConfigureAwait(false);
        foreach (var process in left.Where(IsSame))
        {
            PosixProcess.KillGroup(process.Pid);
            PosixProcess.Signal(process.Pid, PosixProcess.Kill);
        }

        File.Delete(_path);
        return [.. left.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Name} (process {p.Pid})"))];
    }

    public void Add(int pid, string name)
    {
        var start = PosixProcess.StartTime(pid);
        if (start is null) return;
        lock (_writing)
        {
            _running[pid] = string.Create(CultureInfo.InvariantCulture, $"{pid}\t{start}\t{name}");
            Write();
        }
    }

    public void Remove(int pid)
    {
        lock (_writing)
        {
            if (_running.Remove(pid)) Write();
        }
    }

    public void Dispose() => _lock.Dispose();

    // A reader sees the old or the new file, never half of one.
    void Write()
    {
        var next = _path + ".next";
        File.WriteAllLines(next, _running.Values);
        File.Move(next, _path, overwrite: true);
    }

    IEnumerable<Entry> Read()
    {
        if (!File.Exists(_path)) yield break;
        foreach (var line in File.ReadAllLines(_path))
        {
            if (line.Split('\t') is [var pid, var start, var name]) yield return new(int.Parse(pid, CultureInfo.InvariantCulture), start, name);
        }
    }

    static bool IsSame(Entry entry) => PosixProcess.StartTime(entry.Pid) == entry.Start;

    readonly record struct Entry(int Pid, string Start, string Name);
}
