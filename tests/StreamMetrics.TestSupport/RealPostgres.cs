using System.Globalization;
using Npgsql;

namespace StreamMetrics.TestSupport;

/// <summary>A PostgreSQL server of the test's own, on a free port of 127.0.0.1. It can be stopped and started again on its port and data.</summary>
public sealed class RealPostgres : IAsyncDisposable
{
    readonly TempFolder _folder = new("postgres");
    ChildProcess? _server;
    int _databases;

    RealPostgres(int port) => Port = port;

    /// <summary>The port.</summary>
    public int Port { get; }

    /// <summary>Creates a cluster of databases, starts the server and waits until it answers.</summary>
    public static async Task<RealPostgres> StartAsync()
    {
        var postgres = new RealPostgres(Ports.Free());
        try
        {
            await postgres.ResumeAsync();
            // Nobody pulls the plug during a test, and a killed process loses nothing by this. Autovacuum would lock tables at moments of its own choice.
            await postgres.ExecuteAsync(
                "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()");
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connection string of a database of it, with timeouts for a busy machine: a server that is away refuses at once.</summary>
    /// <param name="database">Its name.</param>
    public string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={Port.ToString(CultureInfo.InvariantCulture)};Username=postgres;Password=unused;Database={database};Timeout=60;Command Timeout=120";

    /// <summary>Creates an empty database.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test{Interlocked.Increment(ref _databases).ToString(CultureInfo.InvariantCulture)}";
        await ExecuteAsync($"CREATE DATABASE {name}");
        return ConnectionString(name);
    }

    /// <summary>Starts it again after <see cref="StopAsync"/> or <see cref="KillAsync"/> and waits until it answers.</summary>
    public async Task ResumeAsync()
    {
        await Eventually.AssertAsync("PostgreSQL starts", async () =>
        {
            // After a kill the children of the old server may live for a moment, and the new one refuses to start beside them.
            if (_server is null or { HasExited: true })
            {
                var last = _server;
                _server = LocalServer.Start("postgres.sh", [_folder.Combine("data"), Port, "streammetrics"]);
                if (last is not null) await last.DisposeAsync();
            }

            try
            {
                await ExecuteAsync("SELECT 1");
            }
            catch (NpgsqlException e)
            {
                throw new InvalidOperationException(e.Message + _server.Tail(), e);
            }
        });
    }

    /// <summary>Stops it in order, breaking the connections there are (fast shutdown).</summary>
    public async Task StopAsync()
    {
        _server!.Send(Signal.Terminate);
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

    async Task ExecuteAsync(params string[] statements)
    {
        // No pool: an idle connection would keep the template database busy and break with the next stop of the server.
        await using var source = NpgsqlDataSource.Create(ConnectionString("postgres") + ";Pooling=false");
        foreach (var statement in statements)
        {
            await using var command = source.CreateCommand(statement);
            await command.ExecuteNonQueryAsync();
        }
    }
}
