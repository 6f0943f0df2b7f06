using System.Diagnostics;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>The broker as a program of its own, which can be killed.</summary>
sealed class HostProcess : IDisposable
{
    readonly Process _process;

    HostProcess(Process process) => _process = process;

    public static string Executable => Path.Combine(AppContext.BaseDirectory, "StreamMetrics.EmbeddedKafka.Host");

    public string ReadyLine { get; private set; } = "";

    public string Servers => ReadyLine.Split(' ')[^1];

    public static async Task<HostProcess> StartAsync(string folder, int port, int brokers = 1)
    {
        var host = new HostProcess(Launch("--data", folder, "--port", $"{port}", "--brokers", $"{brokers}"));
        host.ReadyLine = await host._process.StandardOutput.ReadLineAsync().WaitAsync(Wait.Patience)
            ?? throw new InvalidOperationException($"The broker ended: {await host._process.StandardError.ReadToEndAsync()}");
        _ = host._process.StandardOutput.ReadToEndAsync();
        _ = host._process.StandardError.ReadToEndAsync();
        return host;
    }

    /// <summary>Runs the program to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Launch(arguments);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(Wait.Patience);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await _process.WaitForExitAsync().WaitAsync(Wait.Patience);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    static Process Launch(params string[] arguments) =>
        Process.Start(new ProcessStartInfo(Executable, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
}
