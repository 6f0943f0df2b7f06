using System.Data.Common;
using System.Globalization;
using System.Net.Sockets;

namespace StreamMetrics.AppHost.Local;

/// <summary>
/// Looks, before anything is started, whether somebody listens where a connection string points: else each service would find out by itself
/// and say so in its own words, half a minute later.
/// </summary>
static class ConfiguredServers
{
    const int RedisPort = 6379;
    const int PostgresPort = 5432;

    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <exception cref="AppHostException">The text names no server, or none of them answers.</exception>
    public static async Task CheckAsync(string name, string connection)
    {
        var key = $"ConnectionStrings__{name}";
        var servers = name == Infrastructure.DatabaseName ? OfPostgres(key, connection) : OfList(key, connection, name == Infrastructure.RedisName ? RedisPort : null);
        var problems = new List<string>();
        foreach (var (host, port) in servers)
        {
            // A path names a socket file of this machine; PostgreSQL's client knows where below it.
            if (host.StartsWith('/') || await ProblemAsync(host, port) is not { } problem) return;
            problems.Add(FormattableString.Invariant($"{host}:{port}: {problem}"));
        }

        throw new AppHostException($"{key}: nobody answers ({string.Join("; ", problems)})");
    }

    static async Task<string?> ProblemAsync(string host, int port)
    {
        using var timeout = new CancellationTokenSource(Timeout, TimeProvider.System);
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(host, port, timeout.Token);
            return null;
        }
        catch (SocketException e)
        {
            return e.Message;
        }
        catch (OperationCanceledException)
        {
            return FormattableString.Invariant($"no connection within {Timeout.TotalSeconds:0} s");
        }
    }

    /// <summary><c>host:port,host:port</c>; what has an equals sign is an option of the client.</summary>
    static List<(string Host, int Port)> OfList(string key, string connection, int? defaultPort)
    {
        var servers = new List<(string, int)>();
        foreach (var item in connection.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (item.Contains('=', StringComparison.Ordinal)) continue;
            var colon = item.LastIndexOf(':');
            if (colon > 0 && ushort.TryParse(item.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0) servers.Add((item[..colon], port));
            else if (colon < 0 && defaultPort is { } known) servers.Add((item, known));
            else throw new AppHostException($"{key} must list servers as host:port, separated by commas; '{item}' is none");
        }

        return servers.Count > 0 ? servers : throw new AppHostException($"{key} must list servers as host:port, separated by commas; it has none");
    }

    static List<(string Host, int Port)> OfPostgres(string key, string connection)
    {
        var parts = new DbConnectionStringBuilder();
        try
        {
            parts.ConnectionString = connection;
        }
        catch (ArgumentException e)
        {
            throw new AppHostException($"{key} must have the form Host=…;Port=…;Username=…;Database=…: {e.Message}");
        }

        if ((Value("Host") ?? Value("Server")) is not { Length: > 0 } hosts) throw new AppHostException($"{key} must have the form Host=…;Port=…;Username=…;Database=…: it has no Host");
        if (!ushort.TryParse(Value("Port") ?? PostgresPort.ToString(CultureInfo.InvariantCulture), out var port)) throw new AppHostException($"{key}: Port must be a number from 1 to 65535");
        return [.. hosts.Split(',').Select(host => host.Split(':') is [var name, var own] && ushort.TryParse(own, out var p) ? (name, (int)p) : (host, port))];

        string? Value(string name) => parts.TryGetValue(name, out var value) ? value as string : null;
    }
}
