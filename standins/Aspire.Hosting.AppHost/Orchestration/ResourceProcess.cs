using System.Diagnostics;

namespace Aspire.Hosting.Orchestration;

/// <summary>One running program: its output line by line, its end, and the two ways to stop it.</summary>
sealed class ResourceProcess : IDisposable
{
    static readonly Lazy<string?> SetSid = new(() => OnPath("setsid"));

    readonly Process _process;
    readonly TaskCompletionSource<int> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    ResourceProcess(Process process)
    {
        _process = process;
        Pid = process.Id;
        _process.Exited += (_, _) => _exit.TrySetResult(_process.ExitCode);
        _process.EnableRaisingEvents = true;
    }

    public int Pid { get; }

    /// <summary>The exit code; a process that a signal ended has 128 plus its number.</summary>
    public Task<int> Exit => _exit.Task;

    /// <summary>
    /// Starts the program in a session of its own where <c>setsid</c> is there, so that the terminal's Ctrl-C reaches only the AppHost,
    /// which then stops the resources in order.
    /// </summary>
    /// <param name="program">What to start.</param>
    /// <param name="output">Gets each line, and whether it went to standard error.</param>
    /// <exception cref="DistributedApplicationException">The program cannot be started.</exception>
    public static ResourceProcess Start(ProgramStart program, Action<string, bool> output)
    {
        var start = new ProcessStartInfo(SetSid.Value ?? program.Command)
        {
            WorkingDirectory = program.WorkingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        if (SetSid.Value is not null) start.ArgumentList.Add(program.Command);
        foreach (var arg in program.Arguments) start.ArgumentList.Add(arg);
        foreach (var (name, value) in program.Environment) start.Environment[name] = value;
        if (!Directory.Exists(program.WorkingDirectory)) throw new DistributedApplicationException($"folder {program.WorkingDirectory} is not there");
        if (OnPath(program.Command) is null) throw new DistributedApplicationException($"program {program.Command} is not there");

        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, e) => Forward(e.Data, isError: false);
        process.ErrorDataReceived += (_, e) => Forward(e.Data, isError: true);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new(process);

        void Forward(string? line, bool isError)
        {
            if (line is not null) output(line, isError);
        }
    }

    /// <summary>Asks the program to stop; its children are its own affair until <see cref="Kill"/>.</summary>
    public void Terminate() => PosixProcess.Signal(Pid, PosixProcess.Terminate);

    /// <summary>Ends the program, if it still runs, and every child that it has or left behind.</summary>
    public void Kill()
    {
        if (!Exit.IsCompleted) PosixProcess.Signal(Pid, PosixProcess.Kill);
        PosixProcess.KillGroup(Pid);
    }

    public void Dispose() => _process.Dispose();

    static string? OnPath(string command)
    {
        if (command.Contains('/', StringComparison.Ordinal)) return File.Exists(command) ? command : null;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, command)).FirstOrDefault(File.Exists);
    }
}

/// <summary>What it takes to start a program.</summary>
sealed record ProgramStart(string Command, IReadOnlyList<string> Arguments, string WorkingDirectory, IReadOnlyDictionary<string, string> Environment);
