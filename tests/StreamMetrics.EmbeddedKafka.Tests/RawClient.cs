using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>A scripted connection: sends exact bytes, sees exact bytes.</summary>
sealed class RawClient : IAsyncDisposable
{
    readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);
    NetworkStream? _stream;
    int _correlation;

    public static async Task<RawClient> ConnectAsync(string server)
    {
        var client = new RawClient();
        await client._socket.ConnectAsync(IPEndPoint.Parse(server));
        client._stream = new(client._socket);
        return client;
    }

    public NetworkStream Stream => _stream!;

    /// <summary>Sends a request and returns the answer after its correlation id.</summary>
    public async Task<byte[]> AskAsync(ApiKey key, short version, Action<WireWriter> body)
    {
        var range = ApiTable.Find((short)key);
        await SendAsync(key, version, range is { } known && version >= known.FlexibleFrom, body);
        return (await ReceiveAsync())[4..];
    }

    public async Task SendAsync(ApiKey key, short version, bool flexible, Action<WireWriter> body)
    {
        using var w = new WireWriter();
        w.Int32(0);
        w.Int16((short)key);
        w.Int16(version);
        w.Int32(++_correlation);
        w.String("raw");
        w.Flexible = flexible;
        w.Tags();
        body(w);
        w.PatchInt32(0, w.Length - 4);
        await Stream.WriteAsync(w.Written.ToArray());
    }

    public async Task<byte[]> ReceiveAsync()
    {
        var length = new byte[4];
        await Stream.ReadExactlyAsync(length).AsTask().WaitAsync(Wait.Patience);
        var frame = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        await Stream.ReadExactlyAsync(frame).AsTask().WaitAsync(Wait.Patience);
        return frame;
    }

    /// <summary>Tells the broker that nothing more comes; answers can still be read.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Whether the broker closes the connection.</summary>
    public async Task<bool> IsClosedAsync()
    {
        try
        {
            return await Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Wait.Patience) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Joins a consumer group with a subscription to a topic, as a member that then stays silent.</summary>
    public async Task JoinGroupAsync(string group, string topic, int sessionTimeoutMs)
    {
        using var subscription = new WireWriter();
        subscription.Int16(0);
        subscription.ArrayLength(1);
        subscription.String(topic);
        subscription.Bytes([]);
        var metadata = subscription.Written.ToArray();
        await AskAsync(ApiKey.JoinGroup, 2, w =>
        {
            w.String(group);
            w.Int32(sessionTimeoutMs);
            w.Int32(60_000);
            w.String("");
            w.String("consumer");
            w.ArrayLength(2);
            foreach (var strategy in new[] { "range", "roundrobin" })
            {
                w.String(strategy);
                w.Bytes(metadata);
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is not null) await _stream.DisposeAsync();
        _socket.Dispose();
    }
}
