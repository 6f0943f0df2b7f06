using System.Globalization;
using Npgsql;

namespace StreamMetrics.TestSupport;

/// <summary>
/// A PostgreSQL server of the test's own, on a free port of 127.0.0.1. It can be stopped and started again on its port and data.
/// PostgreSQL refuses to run as root: then it runs as the user <c>postgres</c> or <c>nobody</c>.
/// </summary>
public sealed class RealPostgres : IAsyncDisposable
{
    const string User = "streammetrics";
    readonly TempFolder _folder = new("postgres");
    readonly string[] _asUser = Environment.UserName == "root" ? ["setpriv", $"--reuid={Unprivileged.Name}", $"--regid={Unprivileged.Group}", "--clear-groups"] : [];
    ChildProcess? _server;
    int _databases;

    RealPostgres(int port) => Port = port;

    /// <summary>The port.</summary>
    public int Port { get; }

    static (string Name, string Group) Unprivileged { get; } =
        File.ReadLines("/etc/passwd").Any(l => l.StartsWith("postgres:", StringComparison.Ordinal)) ? ("postgres", "postgres") : ("nobody", "nogroup");

    /// <summary>Creates a cluster of databases, starts the server and waits until it answers.</summary>
    public static async Task<RealPostgres> StartAsync()
    {
        var postgres = new RealPostgres(Ports.Free());
        try
        {
            await postgres.InitializeAsync();
            await postgres.ResumeAsync();
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connection string of a database of it.</summary>
    /// <param name="database">Its name.</param>
    public string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={Port.ToString(CultureInfo.InvariantCulture)};Username={User};Password=unused;Database={database}";

    /// <summary>Creates an empty database.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test{Interlocked.Increment(ref _databases).ToString(CultureInfo.InvariantCulture)}";
        // No pool: an idle connection would keep the template database busy and break with the next stop of the server.
        await using var source = NpgsqlDataSource.Create(ConnectionString("postgres") + ";Pooling=false");
        await using var create = source.CreateCommand($"CREATE DATABASE {name}");
        await create.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    /// <summary>Starts it again after <see cref="StopAsync"/> or <see cref="KillAsync"/> and waits until it answers.</summary>
    public async Task ResumeAsync()
    {
        await Eventually.AssertAsync("PostgreSQL starts", async () =>
        {
            // After a kill the children of the old server may live for a moment, and the new one refuses to start beside them.
            if (_server is null or { HasExited: true }) await LaunchAsync();
            await using var source = NpgsqlDataSource.Create(ConnectionString("postgres") + ";Pooling=false;Timeout=5");
            await using var connection = await source.OpenConnectionAsync();
        });
    }

    /// <summary>Stops it in order, breaking the connections there are (fast shutdown).</summary>
    public async Task StopAsync()
    {
        _server!.Send(Signal.Interrupt);
        await _server.WaitForExitAsync();
    }

    /// <summary>Kills it (SIGKILL). What was committed is there after <see cref="ResumeAsync"/>.</summary>
    public Task KillAsync() => _server!.KillAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is { HasExited: false }) await StopAsync();
        if (_server is not null) await _server.DisposeAsync();
        _folder.Dispose();
    }

    async Task InitializeAsync()
    {
        if (_asUser.Length > 0) await ChildProcess.RunAsync("chown", ["chown", $"{Unprivileged.Name}:{Unprivileged.Group}", _folder.Path]);
        await ChildProcess.RunAsync("initdb", [
            .. _asUser, Programs.Postgres("initdb"), "--pgdata", _folder.Combine("data"), "--username", User, "--auth", "trust", "--encoding", "UTF8",
            "--no-locale", "--no-sync"]);
    }

    async Task LaunchAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _server = ChildProcess.Start("postgres", [
            .. _asUser, Programs.Postgres("postgres"), "-D", _folder.Combine("data"), "-p", Port.ToString(CultureInfo.InvariantCulture),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "full_page_writes=off",
            "-c", "shared_buffers=64MB", "-c", "autovacuum_naptime=5s"]);
    }
}
