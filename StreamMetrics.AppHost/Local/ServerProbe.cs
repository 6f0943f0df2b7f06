using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace StreamMetrics.AppHost.Local;

/// <summary>
/// Asks a local server one question in its own protocol. An open port is not enough: each of the three listens before it can work.
/// </summary>
/// <param name="port">Port of 127.0.0.1.</param>
/// <param name="question">The bytes to send.</param>
/// <param name="judge">Null while the answer is too short to tell, <see cref="Fine"/>, or what is wrong.</param>
sealed class ServerProbe(int port, byte[] question, Func<ReadOnlyMemory<byte>, string?> judge) : IHealthCheck
{
    const string Fine = "";
    const int LongestAnswer = 8192;

    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>Redis: <c>PING</c>; while it loads its data it answers <c>-LOADING</c>.</summary>
    public static ServerProbe Redis(int port) => new(port, "PING\r\n"u8.ToArray(), answer =>
    {
        if (!answer.Span.EndsWith("\r\n"u8)) return null;
        return answer.Span[0] == '+' ? Fine : $"answered {Encoding.ASCII.GetString(answer.Span).Trim()}";
    });

    /// <summary>
    /// PostgreSQL: a start-up message (protocol 3.0: length, version, parameters, a zero). The answer is a row of messages (type, length,
    /// content): 'Z', ready for a query, comes only when the database is there; 'E' is an error, such as "the database system is starting up".
    /// </summary>
    public static ServerProbe Postgres(int port, string database)
    {
        var parameters = Encoding.UTF8.GetBytes($"user\0postgres\0database\0{database}\0\0");
        var message = new byte[8 + parameters.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), 3 << 16);
        parameters.CopyTo(message, 8);
        return new(port, message, answer => JudgePostgres(answer.Span));
    }

    /// <summary>Kafka: ApiVersions v0 (key 18, version 0, correlation id 1, no client id). Error code 0 comes once requests are served.</summary>
    public static ServerProbe Kafka(int port) => new(port, [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff], answer => answer.Length < 10
        ? null
        : answer.Span[4..10].SequenceEqual<byte>([0, 0, 0, 1, 0, 0]) ? Fine : "answered something else than Kafka does");

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(Timeout);
        try
        {
            var problem = await AskAsync(timeout.Token);
            return problem == Fine ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(FormattableString.Invariant($"127.0.0.1:{port} {problem}"));
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

    async Task<string> AskAsync(CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port, cancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync(question, cancellationToken);
        var answer = new byte[LongestAnswer];
        for (var length = 0; length < answer.Length;)
        {
            var count = await stream.ReadAsync(answer.AsMemory(length), cancellationToken);
            if (count == 0) return "closed the connection";
            length += count;
            if (judge(answer.AsMemory(0, length)) is { } verdict) return verdict;
        }

        return "does not come to an end";
    }

    static string? JudgePostgres(ReadOnlySpan<byte> answer)
    {
        const int header = 5;
        while (answer.Length >= header)
        {
            if (answer[0] == 'Z') return Fine;
            if (answer[0] == 'E') return "does not let clients in yet";
            var next = 1 + BinaryPrimitives.ReadInt32BigEndian(answer[1..]);
            if (next < header || next > answer.Length) return null;
            answer = answer[next..];
        }

        return null;
    }
}
