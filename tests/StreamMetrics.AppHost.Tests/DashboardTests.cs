using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard.Wire;
using Grpc.Core;
using Grpc.Net.Client;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.AppHost.Tests;

/// <summary>What the Aspire dashboard is told and may ask for. In its place a small program that writes down how it was started.</summary>
public sealed class DashboardTests
{
    [Fact]
    public async Task The_dashboard_is_started_with_its_addresses_and_sees_states_urls_and_health()
    {
        using var model = NewModel();
        model.AddServer("server").WithEndpoint(port: 1234, scheme: "http", name: "http")
            .WithUrlForEndpoint("http", url => url.DisplayText = "the site")
            .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/docs", DisplayText = "docs" })
            .WithEnvironment("COLOUR", "blue");
        await using var app = model.Builder.Build();
        await app.StartAsync();
        var environment = await EnvironmentAsync(model);

        Assert.Equal("http://127.0.0.1:18888", environment["ASPNETCORE_URLS"]);
        Assert.Equal("http://127.0.0.1:18889", environment["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"]);
        using var channel = GrpcChannel.ForAddress(environment["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"]);
        var server = await WaitForAsync(Client(channel), Key(environment), "server-1", r => r is { State: "Running", HealthReports.Count: 0 });

        Assert.Equal("server", server.DisplayName);
        Assert.Equal("Executable", server.ResourceType);
        Assert.Equal([("http", "http://127.0.0.1:1234", "the site"), ("http", "http://127.0.0.1:1234/docs", "docs")], server.Urls.Select(u => (u.EndpointName, u.FullUrl, u.DisplayProperties.DisplayName)));
        Assert.Contains(server.Environment, e => e is { Name: "COLOUR", Value: "blue" });
        Assert.Equal(["start", "stop", "restart"], server.Commands.Select(c => c.Name));
        Assert.Equal([Aspire.Hosting.Dashboard.Wire.ResourceCommandState.Hidden, Aspire.Hosting.Dashboard.Wire.ResourceCommandState.Enabled, Aspire.Hosting.Dashboard.Wire.ResourceCommandState.Enabled], server.Commands.Select(c => c.State));
        Assert.True((await WaitForAsync(Client(channel), Key(environment), "aspire-dashboard-1", r => r.State == "Running")).IsHidden);
        await app.StopAsync();
    }

    [Fact]
    public async Task Console_lines_come_as_they_are_written()
    {
        using var model = NewModel();
        model.AddShell("talker", "echo one; echo two >&2; trap 'exit 0' TERM; while :; do sleep 0.05; done");
        await using var app = model.Builder.Build();
        await app.StartAsync();
        var environment = await EnvironmentAsync(model);
        using var channel = GrpcChannel.ForAddress(environment["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"]);
        await WaitForAsync(Client(channel), Key(environment), "talker-1", r => r.State == "Running");

        using var logs = Client(channel).WatchResourceConsoleLogs(new() { ResourceName = "talker-1" }, Key(environment));
        var lines = new List<ConsoleLogLine>();
        while (lines.Count < 2 && await logs.ResponseStream.MoveNext(default)) lines.AddRange(logs.ResponseStream.Current.LogLines);

        Assert.Equal([("one", false), ("two", true)], lines.OrderBy(l => l.Text, StringComparer.Ordinal).Select(l => (l.Text, l.IsStdErr)));
        await app.StopAsync();
    }

    [Fact]
    public async Task Commands_run_and_their_failures_are_told()
    {
        using var model = NewModel();
        var calls = 0;
        model.AddServer("server")
            .WithCommand("count", "Count", _ => Task.FromResult(Interlocked.Increment(ref calls) == 1 ? CommandResults.Success() : CommandResults.Failure("only once")))
            .WithCommand("tell", "Tell", _ => Task.FromResult(CommandResults.Success("3 sent again")))
            .WithCommand("throw", "Throw", _ => throw new InvalidOperationException("no luck"));
        await using var app = model.Builder.Build();
        await app.StartAsync();
        var environment = await EnvironmentAsync(model);
        using var channel = GrpcChannel.ForAddress(environment["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"]);
        await WaitForAsync(Client(channel), Key(environment), "server-1", r => r.State == "Running");

        Assert.Equal((ResourceCommandResponseKind.Succeeded, ""), await RunAsync("count"));
        Assert.Equal((ResourceCommandResponseKind.Failed, "only once"), await RunAsync("count"));
        Assert.Equal((ResourceCommandResponseKind.Succeeded, "3 sent again"), await RunAsync("tell"));
        Assert.Equal((ResourceCommandResponseKind.Failed, "no luck"), await RunAsync("throw"));
        Assert.Equal((ResourceCommandResponseKind.Failed, "Resource 'server' has no command 'fly'."), await RunAsync("fly"));
        Assert.Equal((ResourceCommandResponseKind.Failed, "Start is not possible while server is Running."), await RunAsync("start"));
        Assert.Equal((ResourceCommandResponseKind.Succeeded, ""), await RunAsync("stop"));
        await WaitForAsync(Client(channel), Key(environment), "server-1", r => r.State == "Finished");
        await app.StopAsync();

        async Task<(ResourceCommandResponseKind, string)> RunAsync(string command)
        {
            var answer = await Client(channel).ExecuteResourceCommandAsync(new() { CommandName = command, ResourceName = "server-1" }, Key(environment));
            return (answer.Kind, answer.Message);
        }
    }

    [Fact]
    public async Task Nobody_without_the_key_is_answered()
    {
        using var model = NewModel();
        await using var app = model.Builder.Build();
        await app.StartAsync();
        var environment = await EnvironmentAsync(model);
        using var channel = GrpcChannel.ForAddress(environment["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"]);

        var e = await Assert.ThrowsAsync<RpcException>(async () => await Client(channel).GetApplicationInformationAsync(new()));

        Assert.Equal(StatusCode.Unauthenticated, e.StatusCode);
        await app.StopAsync();
    }

    [Fact]
    public async Task The_dashboard_takes_what_the_others_send_while_they_stop_and_goes_last_and_silently()
    {
        using var model = NewModel();
        model.AddShell("talker", $"trap 'sleep 0.3; echo talker >> \"{model.File("stopped")}\"; echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done");
        await using var app = model.Builder.Build();
        await app.StartAsync();
        await EnvironmentAsync(model);
        await model.Console.WaitForAsync("talker: hello");
        await model.Console.WaitForAsync("aspire-dashboard: ready");

        await app.StopAsync();

        Assert.Equal(["talker", "dashboard"], File.ReadAllLines(model.File("stopped")));
        Assert.Contains("talker: bye", model.Console.Lines);
        Assert.DoesNotContain(model.Console.Lines, l => l.Contains("lost a connection", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_its_program_nothing_is_sent_to_it()
    {
        using var model = new Model(dashboard: true);
        model.Builder.Configuration["ASPIRE_DASHBOARD_PATH"] = model.File("nowhere");
        await using var app = model.Builder.Build();
        await app.StartAsync();

        Assert.False(app.ResourceNotifications.TryGetCurrentState("aspire-dashboard", out _));
        await app.StopAsync();
    }

    static Model NewModel()
    {
        var model = new Model(dashboard: true);
        var program = model.File("dashboard");
        File.WriteAllText(program, $"#!/bin/sh\nenv > '{model.File("environment")}.next'\nmv '{model.File("environment")}.next' '{model.File("environment")}'\n"
            + $"trap 'echo dashboard >> \"{model.File("stopped")}\"; echo lost a connection; exit 0' TERM\necho ready\nwhile :; do sleep 0.05; done\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        model.Builder.Configuration["ASPIRE_DASHBOARD_PATH"] = program;
        model.Builder.Configuration["ASPNETCORE_URLS"] = "http://127.0.0.1:18888";
        model.Builder.Configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = "http://127.0.0.1:18889";
        model.Builder.Configuration["ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] = "true";
        return model;
    }

    static async Task<Dictionary<string, string>> EnvironmentAsync(Model model)
    {
        await Eventually.TrueAsync("the dashboard runs", () => File.Exists(model.File("environment")));
        return File.ReadAllLines(model.File("environment")).Select(l => l.Split('=', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);
    }

    static DashboardService.DashboardServiceClient Client(GrpcChannel channel) => new(channel);

    static Metadata Key(Dictionary<string, string> environment) => new() { { "x-resource-service-api-key", environment["DASHBOARD__RESOURCESERVICECLIENT__APIKEY"] } };

    /// <summary>The state of a resource as soon as it is as wanted.</summary>
    static async Task<Aspire.Hosting.Dashboard.Wire.Resource> WaitForAsync(
        DashboardService.DashboardServiceClient client, Metadata key, string name, Func<Aspire.Hosting.Dashboard.Wire.Resource, bool> isWanted)
    {
        using var timeout = new CancellationTokenSource(Eventually.DefaultTimeout, TimeProvider.System);
        using var watch = client.WatchResources(new(), key, cancellationToken: timeout.Token);
        while (await watch.ResponseStream.MoveNext(timeout.Token))
        {
            foreach (var change in watch.ResponseStream.Current.Changes?.Value ?? [])
            {
                if (change.Upsert.Name == name && isWanted(change.Upsert)) return change.Upsert;
            }
        }

        throw new InvalidOperationException($"{name} did not get there.");
    }
}
