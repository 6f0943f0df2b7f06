using StreamMetrics.TestSupport;

namespace StreamMetrics.AppHost.Tests;

/// <summary>The AppHost as a program.</summary>
static class TheAppHost
{
    public static ChildProcess Start(IReadOnlyDictionary<string, string?>? environment, params string[] args) =>
        ChildProcess.Start("AppHost", ["dotnet", typeof(AppHostOptions).Assembly.Location, .. args], environment);

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int Code, IReadOnlyList<string> Output)> RunAsync(params string[] args)
    {
        await using var process = Start(null, args);
        return (await process.WaitForExitAsync(), process.Output);
    }
}
