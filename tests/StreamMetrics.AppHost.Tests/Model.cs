using System.Collections.Concurrent;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.AppHost.Tests;

/// <summary>An application model of small shell programs, with what it prints caught.</summary>
sealed class Model : IDisposable
{
    readonly TempFolder _folder = new("model");

    public Model(string? store = null, bool dashboard = false)
    {
        Builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { ProjectDirectory = _folder.Path, Args = [], DisableDashboard = !dashboard });
        Builder.Configuration["Aspire:Store:Path"] = store ?? _folder.Path;
        Builder.Services.AddSingleton<IConsoleWriter>(Console);
    }

    public IDistributedApplicationBuilder Builder { get; }

    public CaughtLines Console { get; } = new();

    /// <summary>A file in the model's own folder.</summary>
    public string File(string name) => _folder.Combine(name);

    public IResourceBuilder<ExecutableResource> AddShell(string name, string script) => Builder.AddExecutable(name, "/bin/sh", ".", "-c", script);

    /// <summary>A program that says that it runs once it can be asked to end, which it does after writing its name into a file.</summary>
    public IResourceBuilder<ExecutableResource> AddServer(string name, string stopLog = "stopped") =>
        AddShell(name, $"trap 'echo {name} >> \"{File(stopLog)}\"; exit 0' TERM; echo {name} >> '{File("started")}'; while :; do sleep 0.05; done");

    public void Dispose() => _folder.Dispose();
}

sealed class CaughtLines : IConsoleWriter
{
    readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<string> Lines => [.. _lines];

    public void WriteLine(string line) => _lines.Enqueue(line);

    public void WriteResourceLine(string name, string line) => _lines.Enqueue($"{name}: {line}");

    public Task WaitForAsync(string line) => Eventually.AssertAsync($"the line '{line}' appears", () => Assert.Contains(Lines, l => l.Contains(line, StringComparison.Ordinal)));
}
