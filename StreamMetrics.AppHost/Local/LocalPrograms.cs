using System.Diagnostics;

namespace StreamMetrics.AppHost.Local;

/// <summary>Programs of this machine.</summary>
static class LocalPrograms
{
    static readonly TimeSpan RuntimeTimeout = TimeSpan.FromSeconds(5);

    public static bool HasRedis => OnPath("redis-server");

    public static bool HasPostgres => OnPath("postgres")
        || (Directory.Exists("/usr/lib/postgresql") && Directory.EnumerateDirectories("/usr/lib/postgresql").Any(d => File.Exists(Path.Combine(d, "bin", "postgres"))));

    public static bool HasJava => OnPath("java") || (Environment.GetEnvironmentVariable("JAVA_HOME") is { } home && File.Exists(Path.Combine(home, "bin", "java")));

    /// <summary>The container runtime that answers, or null. Its command alone does not: the service behind it has to run.</summary>
    public static async Task<string?> FindContainerRuntimeAsync(TimeProvider time)
    {
        foreach (var runtime in new[] { "docker", "podman" })
        {
            if (OnPath(runtime) && await AnswersAsync(runtime, time)) return runtime;
        }

        return null;
    }

    static async Task<bool> AnswersAsync(string runtime, TimeProvider time)
    {
        var start = new ProcessStartInfo(runtime) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("info");
        using var process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(RuntimeTimeout, time);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            var errors = process.StandardError.ReadToEndAsync(timeout.Token);
            await Task.WhenAll(output, errors, process.WaitForExitAsync(timeout.Token));
            return process.ExitCode == 0;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return false;
        }
    }

    static bool OnPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, name)));
}
