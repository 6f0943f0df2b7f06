using System.Globalization;
using System.Net.Sockets;
using Xunit;

namespace StreamMetrics.TestSupport;

/// <summary>A server that speaks S3 (npm <c>s3rver</c>, installed by <c>./test</c> into <c>tests/s3</c>), with one bucket, on a free port of 127.0.0.1.</summary>
public sealed class S3Server : IAsyncDisposable
{
    /// <summary>Name of the bucket.</summary>
    public const string Bucket = "streammetrics-cold";

    /// <summary>The access key that it knows, and its secret: they are fixed in that program.</summary>
    public const string Key = "S3RVER";

    readonly TempFolder _folder = new("s-three");
    readonly int _port = Ports.Free();
    ChildProcess? _server;

    S3Server()
    {
    }

    /// <summary>Why there is none on this machine; null when there is.</summary>
    public static string? Unavailable { get; } = File.Exists(Program) ? null : "No S3 server: ./test installs it with npm into tests/s3.";

    /// <summary>Its address.</summary>
    public string Endpoint => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}");

    static string Program => RepositoryRoot.Combine("tests", "s3", "node_modules", "s3rver", "bin", "s3rver.js");

    /// <summary>Starts one and waits until it answers.</summary>
    public static async Task<S3Server> StartAsync()
    {
        var server = new S3Server();
        await server.ResumeAsync();
        return server;
    }

    /// <summary>Starts it again after <see cref="StopAsync"/>, with its data.</summary>
    public async Task ResumeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        var server = ChildProcess.Start(
            "s3rver",
            ["node", Program, "-d", _folder.Path, "-a", "127.0.0.1", "-p", _port.ToString(CultureInfo.InvariantCulture), "--configure-bucket", Bucket, "--no-vhost-buckets"]);
        _server = server;
        await Eventually.AssertAsync("the S3 server starts", async () =>
        {
            server.ThrowIfEnded();
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", _port);
        });
    }

    /// <summary>Kills it; what it holds stays.</summary>
    public Task StopAsync() => _server!.KillAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>A test that needs an <see cref="S3Server"/>; skipped, with the reason, where there is none.</summary>
public sealed class S3FactAttribute : FactAttribute
{
    /// <summary>Creates the attribute.</summary>
    public S3FactAttribute() => Skip = S3Server.Unavailable;
}
