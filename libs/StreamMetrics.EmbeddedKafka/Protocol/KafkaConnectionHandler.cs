using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// Serves one client connection: frames of {length i32, request}, one request at a time, answers in the order of the requests, as Kafka does. A
/// malformed frame closes this connection and nothing else.
/// </summary>
internal sealed class KafkaConnectionHandler(Broker broker) : ConnectionHandler
{
    const int LengthBytes = 4;

    /// <summary>Buffer for a frame whose bytes have not arrived yet: a length alone must not make the broker allocate that much.</summary>
    const int FirstBufferBytes = 64 << 10;

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var remote = connection.RemoteEndPoint?.ToString();
        using var request = new Request(broker, "/127.0.0.1", connection.ConnectionClosed);
        try
        {
            while (await ServeOneAsync(connection.Transport, request).ConfigureAwait(false))
            {
            }
        }
        catch (ProtocolException e)
        {
            Log.ConnectionClosed(broker.Logger, connection.ConnectionId, remote, e.Message);
        }
        catch (Exception e) when (e is ConnectionResetException or ConnectionAbortedException or OperationCanceledException)
        {
            // The client went away, which it may do at any time.
        }
        catch (Exception e)
        {
            Log.RequestFailed(broker.Logger, request.Key, request.Version, connection.ConnectionId, e);
        }
    }

    async Task<bool> ServeOneAsync(IDuplexPipe transport, Request request)
    {
        var length = await ReadLengthAsync(transport.Input).ConfigureAwait(false);
        if (length < 0) return false;
        var frame = await ReadFrameAsync(transport.Input, length).ConfigureAwait(false);
        if (frame is null) return false;
        try
        {
            request.Start(frame.AsMemory(0, length));
            await Dispatcher.HandleAsync(request).ConfigureAwait(false);
        }
        finally
        {
            Return(frame);
        }

        if (request.MustClose) return false;
        try
        {
            return request.NoResponse || await SendAsync(transport.Output, request.Response).ConfigureAwait(false);
        }
        finally
        {
            request.Response.Reset();
            request.ReleaseHeld();
        }
    }

    /// <summary>Length of the next frame; -1 when the client has closed the connection.</summary>
    async ValueTask<int> ReadLengthAsync(PipeReader input)
    {
        while (true)
        {
            var result = await input.ReadAsync().ConfigureAwait(false);
            var buffer = result.Buffer;
            if (buffer.Length >= LengthBytes)
            {
                var length = ReadInt32(buffer);
                input.AdvanceTo(buffer.GetPosition(LengthBytes));
                if (length < 8 || length > broker.Options.MaxRequestBytes) throw new ProtocolException($"A frame of {length} bytes; 8 to {broker.Options.MaxRequestBytes} are accepted.");
                return length;
            }

            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted) return -1;
        }
    }

    static int ReadInt32(ReadOnlySequence<byte> buffer)
    {
        Span<byte> bytes = stackalloc byte[LengthBytes];
        buffer.Slice(0, LengthBytes).CopyTo(bytes);
        return BinaryPrimitives.ReadInt32BigEndian(bytes);
    }

    /// <summary>Collects a frame in one rented array that grows with what arrives; null when the connection ends before.</summary>
    async ValueTask<byte[]?> ReadFrameAsync(PipeReader input, int length)
    {
        var frame = Rent(Math.Min(length, FirstBufferBytes));
        var filled = 0;
        try
        {
            while (filled < length)
            {
                var result = await input.ReadAsync().ConfigureAwait(false);
                var part = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, length - filled));
                var size = (int)part.Length;
                if (filled + size > frame.Length) frame = Enlarge(frame, filled, Math.Min(length, Math.Max(frame.Length * 4, filled + size)));
                part.CopyTo(frame.AsSpan(filled));
                filled += size;
                input.AdvanceTo(part.End);
                if (result.IsCompleted && filled < length) break;
            }
        }
        catch
        {
            Return(frame);
            throw;
        }

        if (filled == length) return frame;
        Return(frame);
        return null;
    }

    byte[] Rent(int size)
    {
        var array = ArrayPool<byte>.Shared.Rent(size);
        broker.Memory.Take(array.Length);
        return array;
    }

    byte[] Enlarge(byte[] frame, int filled, int size)
    {
        var larger = Rent(size);
        frame.AsSpan(0, filled).CopyTo(larger);
        Return(frame);
        return larger;
    }

    void Return(byte[] frame)
    {
        broker.Memory.Release(frame.Length);
        ArrayPool<byte>.Shared.Return(frame);
    }

    static async ValueTask<bool> SendAsync(PipeWriter output, WireWriter response)
    {
        response.PatchInt32(0, response.Length - LengthBytes);
        var memory = output.GetMemory(response.Length);
        response.Written.CopyTo(memory.Span);
        output.Advance(response.Length);
        var result = await output.FlushAsync().ConfigureAwait(false);
        return !result.IsCompleted && !result.IsCanceled;
    }
}
