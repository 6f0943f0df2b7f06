using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using Xunit;

namespace StreamMetrics.TestSupport;

/// <summary>A Redis server of the test's own, on a free port of 127.0.0.1. It can be stopped and started again on its port and data.</summary>
public sealed class RealRedis : IAsyncDisposable
{
    readonly TempFolder _folder = new("redis");
    ChildProcess? _server;

    RealRedis(int port) => Port = port;

    /// <summary>The port.</summary>
    public int Port { get; }

    /// <summary>Connection string for StackExchange.Redis.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>Starts a server and waits until it answers.</summary>
    public static async Task<RealRedis> StartAsync()
    {
        var redis = new RealRedis(Ports.Free());
        try
        {
            await redis.ResumeAsync();
            return redis;
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it again after <see cref="StopAsync"/> (with its data) or <see cref="KillAsync"/> (empty, or as of the last stop).</summary>
    public async Task ResumeAsync()
    {
        if (_server is { HasExited: false }) return;
        if (_server is not null) await _server.DisposeAsync();
        var server = LocalServer.Start("redis.sh", [_folder.Path, Port]);
        _server = server;
        await Eventually.AssertAsync("Redis starts", async () =>
        {
            server.ThrowIfEnded();
            // Plainly: the client would wait seconds for a server that is there in a moment.
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port);
            await client.GetStream().WriteAsync("PING\r\n"u8.ToArray());
            var answer = new byte[5];
            await client.GetStream().ReadExactlyAsync(answer);
            Assert.Equal("+PONG"u8, answer);
        });
    }

    /// <summary>Stops it in order (SIGTERM); it writes its data first.</summary>
    public async Task StopAsync()
    {
        _server!.Send(Signal.Terminate);
        await _server.WaitForExitAsync();
    }

    /// <summary>Kills it (SIGKILL); what it held since the last <see cref="StopAsync"/> is gone.</summary>
    public Task KillAsync() => _server!.KillAsync();

    /// <summary>Makes it stand still (SIGSTOP): connections stay open and nothing answers.</summary>
    public void Freeze() => _server!.Send(Signal.Stop);

    /// <summary>Ends <see cref="Freeze"/>.</summary>
    public void Thaw() => _server!.Send(Signal.Continue);

    /// <summary>A new connection to it, which waits for its answers as long as a busy machine needs.</summary>
    public async Task<IConnectionMultiplexer> ConnectAsync() =>
        await ConnectionMultiplexer.ConnectAsync($"{ConnectionString},allowAdmin=true,connectTimeout=60000,syncTimeout=60000,asyncTimeout=60000");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _folder.Dispose();
    }
}
