using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.AppHost.Tests;

/// <summary>What stops a start before anything runs: one clear line, exit code 1, no stack trace.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task A_bad_option_ends_the_start_with_one_line()
    {
        var (code, output) = await TheAppHost.RunAsync("--aggregators", "9");

        Assert.Equal(1, code);
        Assert.Equal("error: --aggregators must be a whole number from 1 to 6, not '9'", Assert.Single(output));
    }

    [Fact]
    public async Task Help_shows_every_option()
    {
        var (code, output) = await TheAppHost.RunAsync("--help");

        Assert.Equal(0, code);
        foreach (var option in new[] { "--events-per-second", "--aggregators", "--port-offset", "--data", "--no-dashboard", "--no-containers", "--kafka-ui", "KAFKA_HOME" })
        {
            Assert.Contains(output, l => l.Contains(option, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_taken_port_is_told_with_its_number_and_who_wanted_it_before_anything_starts()
    {
        using var data = new TempFolder("taken");
        var port = Ports.Free();
        using var taken = new TcpListener(IPAddress.Loopback, port);
        taken.Start();
        // The port of the query service, shifted, falls on the taken one. It is looked at first: the others may be taken too, by whoever runs beside this test.
        var offset = port - 8080;

        var (code, output) = await TheAppHost.RunAsync("--data", data.Path, "--port-offset", offset.ToString(CultureInfo.InvariantCulture));

        Assert.Equal(1, code);
        var error = Assert.Single(output, l => l.StartsWith("error:", StringComparison.Ordinal));
        Assert.Equal($"error: port {port}, which the query service needs, is taken; stop what listens there, or shift all ports with --port-offset N", error);
        Assert.False(Directory.Exists(data.Combine("redis")), "something was started");
    }

    [Theory]
    [InlineData("ConnectionStrings__kafka", "127.0.0.1:1", "error: ConnectionStrings__kafka: nobody answers (127.0.0.1:1: Connection refused)")]
    [InlineData("ConnectionStrings__kafka", "localhost", "error: ConnectionStrings__kafka must list servers as host:port, separated by commas; 'localhost' is none")]
    [InlineData("ConnectionStrings__redis", "127.0.0.1:1,ssl=true", "error: ConnectionStrings__redis: nobody answers (127.0.0.1:1: Connection refused)")]
    [InlineData("ConnectionStrings__streammetrics", "Host=127.0.0.1;Port=1;Username=x", "error: ConnectionStrings__streammetrics: nobody answers (127.0.0.1:1: Connection refused)")]
    [InlineData("ConnectionStrings__streammetrics", "Database=x", "error: ConnectionStrings__streammetrics must have the form Host=…;Port=…;Username=…;Database=…: it has no Host")]
    [InlineData("ConnectionStrings__streammetrics", "nonsense", "error: ConnectionStrings__streammetrics must have the form")]
    public async Task A_wrong_connection_string_is_told_by_its_key_before_anything_starts(string key, string value, string expected)
    {
        using var data = new TempFolder("wrong");
        await using var process = TheAppHost.Start(new Dictionary<string, string?> { [key] = value, ["KAFKA_HOME"] = null }, "--data", data.Path);

        Assert.Equal(1, await process.WaitForExitAsync());
        Assert.StartsWith(expected, Assert.Single(process.Output, l => l.StartsWith("error:", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(data.Path));
    }

    [Fact]
    public async Task A_Kafka_UI_without_containers_is_refused()
    {
        using var data = new TempFolder("ui");
        var (code, output) = await TheAppHost.RunAsync("--data", data.Path, "--no-containers", "--kafka-ui");

        Assert.Equal(1, code);
        Assert.Contains("error: --kafka-ui needs Kafka in containers, and so a Docker or Podman that answers: it is an image itself, and cannot reach brokers on 127.0.0.1", output);
    }

    [Fact]
    public async Task A_folder_that_is_no_Kafka_distribution_is_told()
    {
        using var folder = new TempFolder("kafka-home");
        await using var process = TheAppHost.Start(new Dictionary<string, string?> { ["KAFKA_HOME"] = folder.Path });

        Assert.Equal(1, await process.WaitForExitAsync());
        Assert.Equal($"error: KAFKA_HOME={folder.Path} is no Apache Kafka distribution: bin/kafka-server-start.sh is missing there", Assert.Single(process.Output));
    }
}
