using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace StreamMetrics.AppHost.Local;

/// <summary>
/// Asks a local server one question in its own protocol. An open port is not enough: each of the three listens before it can work.
/// </summary>
sealed class ServerProbe(int port, byte[] question, int answerBytes, Func<byte[], string?> problem) : IHealthCheck
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>Redis: <c>PING</c>; while it loads its data it answers <c>-LOADING</c>.</summary>
    public static ServerProbe Redis(int port) => new(port, "PING\r\n"u8.ToArray(), "+PONG\r\n".Length, answer =>
        answer is [(byte)'+', ..] ? null : $"answered {Encoding.ASCII.GetString(answer).Trim()}");

    /// <summary>
    /// PostgreSQL: a start-up message (protocol 3.0: length, version, parameters, a zero). 'R' asks for authentication or grants it; 'E' is an error,
    /// such as "the database system is starting up" or a database that is not there.
    /// </summary>
    public static ServerProbe Postgres(int port, string database)
    {
        var parameters = Encoding.UTF8.GetBytes($"user\0postgres\0database\0{database}\0\0");
        var message = new byte[8 + parameters.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), 3 << 16);
        parameters.CopyTo(message, 8);
        return new(port, message, 9, answer => answer is [(byte)'R', ..] ? null : "does not let clients in yet");
    }

    /// <summary>Kafka: ApiVersions v0 (key 18, version 0, correlation id 1, client id null). An answer with error code 0 comes once requests are served.</summary>
    public static ServerProbe Kafka(int port) => new(port, [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff], 10, answer =>
        answer is [_, _, _, _, 0, 0, 0, 1, 0, 0, ..] ? null : "answered something else than Kafka does");

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(Timeout);
        try
        {
            var answer = await AskAsync(timeout.Token);
            return problem(answer) is { } text ? HealthCheckResult.Unhealthy(text) : HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return HealthCheckResult.Unhealthy(FormattableString.Invariant($"127.0.0.1:{port}: {e.Message}"), e);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy(FormattableString.Invariant($"127.0.0.1:{port} did not answer within {Timeout.TotalSeconds:0} s"));
        }
    }

    async Task<byte[]> AskAsync(CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port, cancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync(question, cancellationToken);
        var answer = new byte[256];
        var count = await stream.ReadAtLeastAsync(answer, answerBytes, throwOnEndOfStream: false, cancellationToken);
        return answer[..count];
    }
}
