using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.AppHost.Tests;

/// <summary>Stopping and starting single resources while the others run.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task A_stopped_resource_says_who_needs_it_and_can_be_started_again()
    {
        using var model = new Model();
        var server = model.AddServer("server");
        var connection = model.Builder.AddConnectionString("database", ReferenceExpression.Create($"x")).WaitFor(server);
        model.AddServer("service").WaitFor(connection);
        await using var app = model.Builder.Build();
        await app.StartAsync();
        await app.ResourceNotifications.WaitForResourceHealthyAsync("service");
        await StartedOnceAsync(model, "server");

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", "stop")).Success);

        Assert.Equal(KnownResourceStates.Finished, State(app, "server"));
        Assert.Contains("server: stopped on request; service depend on it", model.Console.Lines);
        Assert.Equal(KnownResourceStates.Running, State(app, "service"));
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", "start")).Success);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("server");
        await Eventually.AssertAsync("it was started twice", () => Assert.Equal(2, Starts(model, "server")));
        await app.StopAsync();
    }

    [Fact]
    public async Task A_dependant_that_is_restarted_waits_for_what_was_stopped()
    {
        using var model = new Model();
        var server = model.AddServer("server");
        var connection = model.Builder.AddConnectionString("database", ReferenceExpression.Create($"x")).WaitFor(server);
        model.AddServer("service").WaitFor(connection);
        await using var app = model.Builder.Build();
        await app.StartAsync();
        await app.ResourceNotifications.WaitForResourceHealthyAsync("service");
        await StartedOnceAsync(model, "service");
        await app.ResourceCommands.ExecuteCommandAsync("server", "stop");

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("service", "restart")).Success);

        Assert.Equal(KnownResourceStates.Waiting, State(app, "service"));
        await app.ResourceCommands.ExecuteCommandAsync("server", "start");
        await app.ResourceNotifications.WaitForResourceHealthyAsync("service");
        await Eventually.AssertAsync("the service was started again", () => Assert.Equal(2, Starts(model, "service")));
        await app.StopAsync();
    }

    [Fact]
    public async Task What_crashes_at_every_start_is_told_each_time_and_never_loops_by_itself()
    {
        using var model = new Model();
        model.AddShell("crasher", $"echo crasher >> '{model.File("started")}'; exit 3");
        await using var app = model.Builder.Build();
        await app.StartAsync();
        await app.ResourceNotifications.WaitForResourceAsync("crasher", e => e.Snapshot.State?.Text == KnownResourceStates.Exited);

        await app.ResourceCommands.ExecuteCommandAsync("crasher", "start");
        await Eventually.AssertAsync("both ends are told", () => Assert.Equal(2, model.Console.Lines.Count(l =>
            l.StartsWith("crasher: ended by itself after", StringComparison.Ordinal) && l.EndsWith("with exit code 3; it is not started again", StringComparison.Ordinal))));

        Assert.Equal(2, Starts(model, "crasher"));
        await app.StopAsync();
    }

    [Fact]
    public async Task A_slow_start_is_told_by_what_is_slow_and_by_who_waits_for_it()
    {
        using var model = new Model();
        var time = new FakeTimeProvider();
        model.Builder.Services.AddSingleton<TimeProvider>(time);
        model.Builder.Services.AddHealthChecks().AddCheck("loaded", () => HealthCheckResult.Unhealthy("the data are still being read"));
        var server = model.AddServer("server").WithHealthCheck("loaded");
        model.AddServer("service").WaitFor(server);
        await using var app = model.Builder.Build();
        await app.StartAsync();
        await app.ResourceNotifications.WaitForResourceAsync("server", e => e.Snapshot.State?.Text == KnownResourceStates.Running);

        await Eventually.AssertAsync("both tell", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            Assert.Contains(model.Console.Lines, l => l.StartsWith("server: not ready after 2", StringComparison.Ordinal) && l.EndsWith(" s: loaded: the data are still being read", StringComparison.Ordinal));
            Assert.Contains(model.Console.Lines, l => l.StartsWith("service: still waiting for server after 2", StringComparison.Ordinal));
        });

        Assert.Equal(KnownResourceStates.Waiting, State(app, "service"));
        await app.StopAsync();
    }

    [Fact]
    public async Task What_is_stopped_the_moment_it_runs_is_gone_when_the_stop_is_answered()
    {
        using var model = new Model();
        model.AddServer("server");
        await using var app = model.Builder.Build();
        await app.StartAsync();
        for (var round = 1; round <= 10; round++)
        {
            await app.ResourceNotifications.WaitForResourceAsync("server", e => e.Snapshot.State?.Text == KnownResourceStates.Running);
            Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", "stop")).Success);
            Assert.Equal(KnownResourceStates.Finished, State(app, "server"));
            Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", "start")).Success);
        }

        await app.StopAsync();
    }

    [Fact]
    public async Task A_replica_is_restarted_alone()
    {
        using var model = new Model();
        model.AddServer("server").WithAnnotation(new ReplicaAnnotation(2));
        await using var app = model.Builder.Build();
        await app.StartAsync();
        await Eventually.AssertAsync("both run", () => Assert.Equal(2, Starts(model, "server")));
        // A process says so before its state is told, and only what is known to run can be restarted.
        foreach (var id in new[] { "server-1", "server-2" })
            await app.ResourceNotifications.WaitForResourceAsync("server", e => e.ResourceId == id && e.Snapshot.State?.Text == KnownResourceStates.Running);

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server-2", "restart")).Success);

        await Eventually.AssertAsync("one was started again", () => Assert.Equal(3, Starts(model, "server")));
        Assert.Equal(KnownResourceStates.Running, State(app, "server-1"));
        Assert.False(app.ResourceNotifications.TryGetCurrentState("server", out _));
        await app.StopAsync();
    }

    // A process runs before it has said so: one that is stopped in that moment never does.
    static Task StartedOnceAsync(Model model, string name) => Eventually.AssertAsync($"{name} has started", () => Assert.Equal(1, Starts(model, name)));

    static string? State(DistributedApplication app, string id) =>
        app.ResourceNotifications.TryGetCurrentState(id, out var current) ? current!.Snapshot.State?.Text : null;

    static int Starts(Model model, string name) => File.Exists(model.File("started")) ? File.ReadAllLines(model.File("started")).Count(l => l == name) : 0;
}
