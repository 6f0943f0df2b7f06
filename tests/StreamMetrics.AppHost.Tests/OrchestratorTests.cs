using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.AppHost.Tests;

/// <summary>Starting, waiting, watching and stopping, with small real programs.</summary>
public sealed class OrchestratorTests
{
    [Fact]
    public async Task A_resource_starts_when_what_it_waits_for_is_healthy_and_not_before()
    {
        using var model = new Model();
        var isReady = false;
        model.Builder.Services.AddHealthChecks().AddCheck("ready", () => Volatile.Read(ref isReady) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("not yet"));
        var database = model.AddServer("database").WithHealthCheck("ready");
        model.AddServer("service").WaitFor(database);

        await using var app = model.Builder.Build();
        await app.StartAsync();
        await Eventually.AssertAsync("the database runs", () => Assert.Equal(["database"], Started(model)));
        Assert.True(app.ResourceNotifications.TryGetCurrentState("service", out var waiting));
        Assert.Equal(KnownResourceStates.Waiting, waiting!.Snapshot.State!.Text);

        Volatile.Write(ref isReady, true);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("service");
        await Eventually.AssertAsync("the service runs", () => Assert.Equal(["database", "service"], Started(model)));
        await app.StopAsync();
    }

    [Fact]
    public async Task A_resource_waits_for_the_end_of_another_and_for_its_exit_code()
    {
        using var model = new Model();
        var migration = model.AddShell("migration", $"sleep 0.3; echo migration >> '{model.File("started")}'; exit 3");
        model.AddServer("service").WaitForCompletion(migration, exitCode: 3);
        model.AddServer("other").WaitForCompletion(migration);

        await using var app = model.Builder.Build();
        await app.StartAsync();

        await Eventually.AssertAsync("the service runs after the migration", () => Assert.Equal(["migration", "service"], Started(model)));
        await model.Console.WaitForAsync("other: not started: migration ended with exit code 3, not 0");
        await app.StopAsync();
    }

    [Fact]
    public async Task Dependants_are_stopped_before_what_they_need_and_nothing_is_left()
    {
        using var model = new Model();
        var database = model.AddServer("database");
        var queue = model.AddServer("queue");
        var service = model.AddServer("service").WaitFor(database).WaitFor(queue);
        model.AddServer("front").WaitFor(service);

        await using var app = model.Builder.Build();
        await app.StartAsync();
        await Eventually.AssertAsync("all run", () => Assert.Equal(4, Started(model).Length));
        // A program may say that it runs before the run has written it down.
        await Eventually.AssertAsync("all are recorded", () => Assert.Equal(4, Pids(model).Count));
        var pids = Pids(model);
        await app.StopAsync();

        var stopped = Lines(model, "stopped");
        Assert.Equal(["front", "service"], stopped[..2]);
        Assert.Equal(["database", "queue"], stopped[2..].Order());
        Assert.All(pids, pid => Assert.False(Directory.Exists($"/proc/{pid}"), $"process {pid} is left"));
    }

    [Fact]
    public async Task A_program_that_does_not_listen_is_killed_with_its_children()
    {
        using var model = new Model();
        model.AddShell("deaf", $"trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > {model.File("child")}; while :; do sleep 0.1; done' & echo $! ; echo deaf >> '{model.File("started")}'; wait; while :; do sleep 0.1; done");

        await using var app = model.Builder.Build();
        await app.StartAsync();
        await Eventually.AssertAsync("both run", () => Assert.NotEmpty(Lines(model, "child")));
        var child = Lines(model, "child")[0];
        await app.StopAsync();

        await model.Console.WaitForAsync("deaf: did not stop within");
        await Eventually.TrueAsync("the child is gone", () => !Directory.Exists($"/proc/{child}"));
    }

    [Fact]
    public async Task A_crash_is_told_in_one_line_and_dependants_say_that_they_do_not_start()
    {
        using var model = new Model();
        model.Builder.Services.AddHealthChecks().AddCheck("never", () => HealthCheckResult.Unhealthy());
        var broken = model.AddShell("broken", "echo something is wrong >&2; exit 7").WithHealthCheck("never");
        var needs = model.AddServer("needs").WaitFor(broken);
        model.AddServer("needs-that").WaitFor(needs);

        await using var app = model.Builder.Build();
        await app.StartAsync();

        await model.Console.WaitForAsync("needs-that: not started: needs was not started");
        // What it wrote is read beside the watch for its end.
        await model.Console.WaitForAsync("broken: something is wrong");
        Assert.Contains(model.Console.Lines, l => l.StartsWith("broken: ended by itself after", StringComparison.Ordinal) && l.Contains("exit code 7", StringComparison.Ordinal));
        Assert.Contains("needs: not started: broken ended with exit code 7 before it was ready", model.Console.Lines);
        Assert.Empty(Started(model));
        await app.StopAsync();
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_told_by_its_name()
    {
        using var model = new Model();
        model.Builder.AddExecutable("ghost", "no-such-program-anywhere", ".");

        await using var app = model.Builder.Build();
        await app.StartAsync();

        await model.Console.WaitForAsync("ghost: not started: program no-such-program-anywhere is not there");
        await app.StopAsync();
    }

    [Fact]
    public async Task What_a_killed_run_left_behind_is_stopped_by_the_next_one()
    {
        using var store = new TempFolder("store");
        using var first = new Model(store.Path);
        first.AddServer("left");
        await using var killed = first.Builder.Build();
        await killed.StartAsync();
        await Eventually.AssertAsync("it runs", () => Assert.Equal(["left"], Started(first)));
        await Eventually.AssertAsync("it is recorded", () => Assert.Single(Pids(store.Path)));
        var record = await File.ReadAllTextAsync(Path.Combine(store.Path, ".aspire", "processes"));
        var pid = Assert.Single(Pids(store.Path));

        // As after kill -9: the process goes on, its record stays, the lock is free.
        using var second = new Model(Path.Combine(store.Path, "next"));
        Directory.CreateDirectory(Path.Combine(store.Path, "next", ".aspire"));
        await File.WriteAllTextAsync(Path.Combine(store.Path, "next", ".aspire", "processes"), record + "999999\t1\tlong gone\n");
        await using var next = second.Builder.Build();
        await next.StartAsync();

        Assert.Contains($"Stopped what an earlier run left behind: left (process {pid})", second.Console.Lines);
        // It is a child of this process, which takes note of its end in its own time.
        await Eventually.TrueAsync("the process is gone", () => !Directory.Exists($"/proc/{pid}"));
        await next.StopAsync();
        await killed.StopAsync();
    }

    [Fact]
    public async Task A_second_run_with_the_same_folder_is_refused()
    {
        using var store = new TempFolder("store");
        using var first = new Model(store.Path);
        using var second = new Model(store.Path);
        await using var running = first.Builder.Build();
        await running.StartAsync();
        await using var other = second.Builder.Build();

        var e = await Assert.ThrowsAsync<DistributedApplicationException>(() => other.StartAsync());

        Assert.StartsWith("another run uses the folder", e.Message, StringComparison.Ordinal);
        await running.StopAsync();
    }

    [Fact]
    public async Task Running_a_container_is_refused_by_the_name_of_the_real_package()
    {
        using var model = new Model();
        model.Builder.AddContainer("box", "image", "1");
        await using var app = model.Builder.Build();

        var e = await Assert.ThrowsAsync<NotSupportedException>(() => app.StartAsync());

        Assert.Contains("Aspire.Hosting.AppHost", e.Message, StringComparison.Ordinal);
    }

    static string[] Started(Model model) => Lines(model, "started");

    static string[] Lines(Model model, string file) => File.Exists(model.File(file)) ? File.ReadAllLines(model.File(file)) : [];

    static IReadOnlyList<string> Pids(Model model) => Pids(Path.GetDirectoryName(model.File("x"))!);

    static IReadOnlyList<string> Pids(string store) => [.. File.ReadAllLines(Path.Combine(store, ".aspire", "processes")).Select(l => l.Split('\t')[0])];
}
