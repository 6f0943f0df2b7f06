using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace StreamMetrics.TestSupport;

/// <summary>
/// A program that a test started: in a process group of its own, its output captured line by line. Dispose kills the whole group. A
/// watchdog, a few lines of shell beside the program, kills the group as well once the test process is gone, so that a test host that was
/// killed hard leaves no servers behind.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    // $1 is the pid of the test process, the rest the command. The shell becomes the program (exec), so that its pid and exit code are the
    // program's. The watchdog is a grandchild: servers wait for their children and must not meet one they did not start.
    const string Guard = """
        owner=$1; shift; program=$$
        ( while kill -0 "$owner" 2>/dev/null && kill -0 "$program" 2>/dev/null; do sleep 1; done; kill -9 "-$program" ) </dev/null >/dev/null 2>&1 3>&- &
        exec "$@"
        """;

    const int NoSuchProcess = 3;

    // From the end of a program until its output has been read to the end, however busy the machine is.
    static readonly TimeSpan LastOutput = TimeSpan.FromSeconds(30);

    readonly Process _process;
    readonly ConcurrentQueue<string> _output = new();
    readonly Task _reading;

    ChildProcess(Process process, string name)
    {
        _process = process;
        Name = name;
        Pid = process.Id;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <summary>What the program is called in messages.</summary>
    public string Name { get; }

    /// <summary>Process id, also the id of its process group.</summary>
    public int Pid { get; }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>All lines of standard output and standard error so far, in the order in which they came.</summary>
    public IReadOnlyList<string> Output => [.. _output];

    /// <summary>Starts a program.</summary>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="command">Program and arguments.</param>
    /// <param name="environment">Environment variables to set; a null value removes one.</param>
    public static ChildProcess Start(string name, IReadOnlyList<string> command, IReadOnlyDictionary<string, string?>? environment = null) =>
        StartOwnedBy(Environment.ProcessId, name, command, environment);

    /// <summary>Starts a program that is killed when another process is gone.</summary>
    /// <param name="owner">Id of that process.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="command">Program and arguments.</param>
    /// <param name="environment">Environment variables to set; a null value removes one.</param>
    public static ChildProcess StartOwnedBy(
        int owner, string name, IReadOnlyList<string> command, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var info = new ProcessStartInfo
        {
            FileName = "setsid",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        string[] guarded = ["sh", "-c", Guard, name, owner.ToString(System.Globalization.CultureInfo.InvariantCulture), .. command];
        foreach (var argument in guarded) info.ArgumentList.Add(argument);
        foreach (var (key, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is null) info.Environment.Remove(key);
            else info.Environment[key] = value;
        }

        var process = Process.Start(info) ?? throw new InvalidOperationException($"{name} did not start.");
        process.StandardInput.Close();
        return new(process, name);
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="command">Program and arguments.</param>
    /// <param name="environment">Environment variables to set.</param>
    /// <exception cref="InvalidOperationException">Its exit code is not 0; the message has its output.</exception>
    public static async Task<IReadOnlyList<string>> RunAsync(
        string name, IReadOnlyList<string> command, IReadOnlyDictionary<string, string?>? environment = null)
    {
        await using var child = Start(name, command, environment);
        var code = await child.WaitForExitAsync();
        return code == 0 ? child.Output : throw new InvalidOperationException($"{name} ended with {code}.{child.Tail()}");
    }

    /// <summary>Waits for the program's end and for the last of its output.</summary>
    /// <param name="timeout">How long at most; <see cref="Eventually.DefaultTimeout"/> when null.</param>
    /// <returns>Its exit code; 128 + the signal's number when a signal ended it.</returns>
    public async Task<int> WaitForExitAsync(TimeSpan? timeout = null)
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(timeout ?? Eventually.DefaultTimeout, TimeProvider.System);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{Name} (pid {Pid}) did not end.{Tail()}", e);
        }

        // Its children may hold the pipes open longer than it lives; the watchdog ends those within a second or two.
        await Task.WhenAny(_reading, Task.Delay(LastOutput, TimeProvider.System));
        return _process.ExitCode;
    }

    /// <summary>Waits for a line of output.</summary>
    /// <param name="isIt">Whether a line is the one.</param>
    /// <param name="timeout">How long at most.</param>
    public async Task<string> WaitForOutputAsync(Func<string, bool> isIt, TimeSpan? timeout = null)
    {
        string? line = null;
        await Eventually.TrueAsync(
            $"waiting for a line of {Name}",
            async () =>
            {
                if ((line = _output.FirstOrDefault(isIt)) is not null) return true;
                if (!HasExited) return false;
                await WaitForExitAsync();
                if ((line = _output.FirstOrDefault(isIt)) is not null) return true;
                throw new HopelessException($"It has ended with {_process.ExitCode}.{Tail()}");
            },
            Tail,
            timeout);
        return line!;
    }

    /// <summary>Sends a signal to the program alone.</summary>
    /// <param name="signal">The signal.</param>
    public void Send(Signal signal) => Kill(Pid, signal);

    /// <summary>Fails a wait at once when the program is not running any more.</summary>
    /// <exception cref="HopelessException">It has ended; the message has its last lines.</exception>
    public void ThrowIfEnded()
    {
        if (HasExited) throw new HopelessException($"{Name} has ended with {_process.ExitCode}.{Tail()}");
    }

    /// <summary>The last lines of output, to put into a message.</summary>
    public string Tail()
    {
        var lines = Output;
        return lines.Count == 0 ? " It wrote nothing." : $" Its last lines:\n  {string.Join("\n  ", lines.Skip(Math.Max(0, lines.Count - 30)))}";
    }

    /// <summary>Kills the program and all of its process group at once, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        // What a program that ended by itself left in its group is the watchdog's: the number may belong to somebody else by now.
        if (!HasExited)
        {
            // The group first; the program alone as well, for it may have been started so recently that it has no group yet.
            Kill(-Pid, Signal.Kill);
            Kill(Pid, Signal.Kill);
        }

        await WaitForExitAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    /// <summary>Whether there is a process with an id, whoever's.</summary>
    internal static bool IsRunning(int pid) => Native.Kill(pid, 0) == 0 || Marshal.GetLastPInvokeError() != NoSuchProcess;

    async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line) _output.Enqueue(line);
    }

    static void Kill(int pid, Signal signal)
    {
        if (Native.Kill(pid, signal.Number) == 0) return;
        var error = Marshal.GetLastPInvokeError();
        if (error != NoSuchProcess) throw new Win32Exception(error);
    }

    static class Native
    {
        [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Kill(int pid, int signal);
    }
}

/// <summary>A Unix signal.</summary>
/// <param name="Number">Its number on this system.</param>
public readonly record struct Signal(int Number)
{
    /// <summary>SIGINT.</summary>
    public static readonly Signal Interrupt = new(2);

    /// <summary>SIGKILL.</summary>
    public static readonly Signal Kill = new(9);

    /// <summary>SIGTERM.</summary>
    public static readonly Signal Terminate = new(15);

    /// <summary>SIGSTOP: the process stands still, its connections stay open.</summary>
    public static readonly Signal Stop = new(OperatingSystem.IsMacOS() ? 17 : 19);

    /// <summary>SIGCONT.</summary>
    public static readonly Signal Continue = new(OperatingSystem.IsMacOS() ? 19 : 18);
}
