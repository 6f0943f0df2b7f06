using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StreamMetrics.AppHost.Local;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.AppHost.Tests;

/// <summary>The scripts that start the servers of the local mode.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class LocalScriptTests
{
    static readonly string[] AsNobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "HOME=/tmp"];

    [Fact]
    public async Task Postgres_creates_its_database_stops_fast_and_keeps_the_data() => await RunPostgresTwiceAsync([]);

    [RootFact]
    public async Task Postgres_needs_no_root() => await RunPostgresTwiceAsync(AsNobody);

    [RootFact]
    public async Task Postgres_as_root_moves_out_of_a_folder_that_its_user_cannot_reach()
    {
        using var closed = new TempFolder("closed");
        File.SetUnixFileMode(closed.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var port = Ports.Free();

        await using var server = Script([], "postgres.sh", closed.Combine("data"), Text(port), "streammetrics");
        var line = await server.WaitForOutputAsync(l => l.Contains("cannot reach", StringComparison.Ordinal));
        await HealthyAsync(ServerProbe.Postgres(port, "streammetrics"), server);
        server.Send(Signal.Terminate);
        Assert.Equal(0, await server.WaitForExitAsync());

        var instead = line.Split(' ')[^2];
        Assert.StartsWith("/var/lib/streammetrics/", instead, StringComparison.Ordinal);
        Directory.Delete(instead, recursive: true);
    }

    [Fact]
    public async Task A_bad_database_name_is_refused()
    {
        using var data = new TempFolder("postgres-script");
        await using var server = Script([], "postgres.sh", data.Path, "1", "a'b");

        Assert.Equal(1, await server.WaitForExitAsync());
        Assert.Equal("error: DATABASE 'a'b' must be of letters, digits and _", Assert.Single(server.Output));
    }

    [Fact]
    public async Task Redis_answers_on_the_port_and_stops_when_asked()
    {
        using var data = new TempFolder("redis-script");
        var port = Ports.Free();

        await using var server = Script([], "redis.sh", data.Path, Text(port));
        await HealthyAsync(ServerProbe.Redis(port), server);
        server.Send(Signal.Terminate);

        Assert.Equal(0, await server.WaitForExitAsync());
    }

    [RealKafkaFact]
    public async Task A_Kafka_broker_formats_its_folder_once_and_answers_after_a_restart()
    {
        using var data = new TempFolder("kafka-script");
        var (port, controller) = (Ports.Free(), Ports.Free());
        for (var run = 1; run <= 2; run++)
        {
            await using var broker = Script([], "kafka-broker.sh", RealKafka.Home!, data.Path, "1", "1", Text(port), Text(controller));
            await HealthyAsync(ServerProbe.Kafka(port), broker);
            broker.Send(Signal.Terminate);
            Assert.Equal(143, await broker.WaitForExitAsync());
        }
    }

    [Fact]
    public async Task A_probe_of_a_port_where_nobody_listens_is_unhealthy_and_says_where()
    {
        var port = Ports.Free();
        var result = await ServerProbe.Redis(port).CheckHealthAsync(new());

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Contains($"127.0.0.1:{port}", result.Description, StringComparison.Ordinal);
    }

    static async Task RunPostgresTwiceAsync(string[] asUser)
    {
        using var data = new TempFolder("postgres-script");
        File.SetUnixFileMode(data.Path, (UnixFileMode)0b111_111_111);
        var port = Ports.Free();
        for (var run = 1; run <= 2; run++)
        {
            await using var server = Script(asUser, "postgres.sh", data.Combine("data"), Text(port), "streammetrics");
            await HealthyAsync(ServerProbe.Postgres(port, "streammetrics"), server);
            Assert.False((await ServerProbe.Postgres(port, "nonsense").CheckHealthAsync(new())).Status == HealthStatus.Healthy);
            server.Send(Signal.Terminate);
            Assert.Equal(0, await server.WaitForExitAsync());
        }
    }

    static ChildProcess Script(string[] asUser, string script, params string[] args) =>
        ChildProcess.Start(script, [.. asUser, RepositoryRoot.Combine("StreamMetrics.AppHost", "scripts", script), .. args]);

    static Task HealthyAsync(ServerProbe probe, ChildProcess server) => Eventually.AssertAsync("the server answers", async () =>
    {
        if (server.HasExited) throw new InvalidOperationException($"It has ended.{server.Tail()}");
        var result = await probe.CheckHealthAsync(new());
        Assert.True(result.Status == HealthStatus.Healthy, result.Description + server.Tail());
    });

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Only root can try what another user may do.</summary>
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (Environment.UserName != "root") Skip = "Only root can start a program as another user.";
    }
}
