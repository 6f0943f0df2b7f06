using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Npgsql;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.IntegrationTests;

/// <summary>Count and sum of a 1-minute window of a service's metric.</summary>
sealed record WindowTotal(string ServiceId, string MetricName, long Start, long Count, double Sum);

/// <summary>The whole product as <c>./run</c> starts it: the AppHost on shifted ports with a data folder of the test's own.</summary>
sealed class RunningSystem : IAsyncDisposable
{
    /// <summary>The fixed ports of <c>./run</c>, before the offset.</summary>
    static readonly int[] FixedPorts = [8080, 8090, 16379, 15432, 18888, 18889, 18890, 19092, 19093, 19094, 19192, 19193, 19194];

    static readonly HashSet<int> HandedOut = [];

    readonly ChildProcess _appHost;
    readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    readonly int _portOffset;
    readonly string _dataFolder;

    RunningSystem(ChildProcess appHost, int portOffset, string dataFolder)
    {
        _appHost = appHost;
        _portOffset = portOffset;
        _dataFolder = dataFolder;
    }

    /// <summary>Starts it; <see cref="WaitUntilHealthyAsync"/> waits for it.</summary>
    /// <param name="dataFolder">Where data are kept.</param>
    /// <param name="portOffset">From <see cref="FreePortOffset"/>.</param>
    /// <param name="kafkaHome">An Apache Kafka distribution; null: the embedded broker.</param>
    public static RunningSystem Start(string dataFolder, int portOffset, string? kafkaHome)
    {
        var dll = RepositoryRoot.Combine("StreamMetrics.AppHost", "bin", RepositoryRoot.Configuration, "net10.0", "StreamMetrics.AppHost.dll");
        string[] command = ["dotnet", dll, "--data", dataFolder, "--port-offset", Text(portOffset), "--events-per-second", "500"];
        var environment = new Dictionary<string, string?>
        {
            ["KAFKA_HOME"] = kafkaHome, ["NO_COLOR"] = "1",
            // The services are patient when they start: two systems do at once, perhaps on a busy machine.
            ["Kafka__Topics__Timeout"] = "00:05:00", ["Archiver__StartupTimeout"] = "00:05:00", ["Query__StartTimeout"] = "00:05:00",
        };
        return new(ChildProcess.Start("AppHost", command, environment), portOffset, dataFolder);
    }

    /// <summary>
    /// An offset at which every fixed port is free, now and for the rest of this process: systems of tests that run side by side do not listen yet when they
    /// get theirs. The ports stay below those that other tests use (<see cref="Ports"/>).
    /// </summary>
    public static int FreePortOffset()
    {
        lock (HandedOut)
        {
            for (var attempt = 0; attempt < 100; attempt++)
            {
                var offset = Random.Shared.Next(1, 20_000 - FixedPorts.Max());
                if (!FixedPorts.All(port => !HandedOut.Contains(port + offset) && Ports.IsFree(port + offset))) continue;
                HandedOut.UnionWith(FixedPorts.Select(port => port + offset));
                return offset;
            }
        }

        throw new InvalidOperationException("No port offset with all ports free was found in 100 tries.");
    }

    /// <summary>Waits until the query service and the generator say that they are healthy.</summary>
    public Task WaitUntilHealthyAsync() => Eventually.AssertAsync(
        "the system becomes healthy",
        async () =>
        {
            if (_appHost.HasExited) throw new InvalidOperationException($"The AppHost has ended.{_appHost.Tail()}");
            (await _http.GetAsync(Query("/health"))).EnsureSuccessStatusCode();
            (await _http.GetAsync(Generator("/health"))).EnsureSuccessStatusCode();
        },
        TimeSpan.FromMinutes(10));

    /// <summary>GET on the query service.</summary>
    public async Task<JsonElement> QueryAsync(string path) => await _http.GetFromJsonAsync<JsonElement>(Query(path));

    /// <summary>The generator's ledger: what Kafka acknowledged, by service, metric and minute.</summary>
    public async Task<IReadOnlyList<WindowTotal>> LedgerAsync(long from, long to)
    {
        var ledger = await _http.GetFromJsonAsync<JsonElement>(Generator($"/ledger?from={Text(from)}&to={Text(to)}"));
        return [.. ledger.GetProperty("windows").EnumerateArray().Select(w => new WindowTotal(
            w.GetProperty("serviceId").GetString()!, w.GetProperty("metricName").GetString()!, w.GetProperty("start").GetInt64(),
            w.GetProperty("count").GetInt64(), w.GetProperty("sum").GetDouble()))];
    }

    /// <summary>Final 1-minute totals in PostgreSQL.</summary>
    public async Task<IReadOnlyDictionary<(string ServiceId, string MetricName, long Start), WindowTotal>> StoredTotalsAsync(long from, long to)
    {
        await using var source = NpgsqlDataSource.Create($"{Database};Pooling=false");
        await using var command = source.CreateCommand("""
            SELECT service_id, metric_name, (extract(epoch FROM timestamp) * 1000)::bigint, count, sum
            FROM metric_aggregates WHERE scope = 'total' AND window_size = '1m' AND timestamp >= to_timestamp($1 / 1000.0) AND timestamp < to_timestamp($2 / 1000.0)
            """);
        command.Parameters.AddWithValue((double)from);
        command.Parameters.AddWithValue((double)to);
        var rows = new Dictionary<(string, string, long), WindowTotal>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var row = new WindowTotal(reader.GetString(0), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetDouble(4));
            rows.Add((row.ServiceId, row.MetricName, row.Start), row);
        }

        return rows;
    }

    /// <summary>Waits until what is stored of a span that is over equals what the generator's ledger says.</summary>
    public Task AssertStoredEqualsLedgerAsync(string phase, long from, long to, TimeSpan timeout) => Eventually.AssertAsync(
        phase,
        async () =>
        {
            Assert.True(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() > to, "The window is still open.");
            var ledger = await LedgerAsync(from, to);
            var stored = await StoredTotalsAsync(from, to);
            Assert.NotEmpty(ledger);
            Assert.All(ledger, expected =>
            {
                Assert.True(stored.TryGetValue((expected.ServiceId, expected.MetricName, expected.Start), out var actual), $"{expected} is not stored.");
                Assert.Equal(expected.Count, actual.Count);
                Assert.InRange(actual.Sum, expected.Sum - (Math.Abs(expected.Sum) * 1e-9), expected.Sum + (Math.Abs(expected.Sum) * 1e-9));
            });
        },
        timeout);

    /// <summary>Connection string of its database.</summary>
    public string Database => $"Host=127.0.0.1;Port={Text(15432 + _portOffset)};Username=postgres;Password=unused;Database=streammetrics";

    /// <summary>Address of its query service.</summary>
    public Uri QueryAddress => Query("");

    /// <summary>Stops its PostgreSQL in order and waits until it is gone.</summary>
    public async Task StopPostgresAsync()
    {
        var pid = File.ReadLines(Path.Combine(PostgresFolder, "postmaster.pid")).First();
        // Its own program says "now, in order" to it.
        await ChildProcess.RunAsync("kill", ["kill", "-INT", pid]);
        await Eventually.TrueAsync("PostgreSQL is gone", () => !Directory.Exists($"/proc/{pid}"));
    }

    /// <summary>Starts PostgreSQL again on its port and data; whoever called this stops it.</summary>
    public ChildProcess StartPostgres() => StartServer("postgres.sh", PostgresFolder, 15432, "streammetrics");

    /// <summary>Stops its Redis, which forgets everything.</summary>
    public async Task StopRedisAsync()
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", 16379 + _portOffset);
        await client.GetStream().WriteAsync("SHUTDOWN NOSAVE\r\n"u8.ToArray());
        var buffer = new byte[256];
        while (await client.GetStream().ReadAsync(buffer) > 0)
        {
            // until it hangs up
        }
    }

    /// <summary>Starts Redis again on its port, empty; whoever called this stops it.</summary>
    public ChildProcess StartRedis() => StartServer("redis.sh", Path.Combine(_dataFolder, "redis-again"), 16379);

    string PostgresFolder => Path.Combine(_dataFolder, "postgres");

    ChildProcess StartServer(string script, string folder, int port, params string[] more) =>
        ChildProcess.Start(script, ["bash", RepositoryRoot.Combine("StreamMetrics.AppHost", "scripts", script), folder, Text(port + _portOffset), .. more]);

    /// <summary>Presses Ctrl-C and waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> InterruptAsync()
    {
        _appHost.Send(Signal.Interrupt);
        return _appHost.WaitForExitAsync();
    }

    /// <summary>Processes that carry the data folder in their command line or environment: whatever this system has started.</summary>
    public IReadOnlyList<string> Processes()
    {
        var found = new List<string>();
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            try
            {
                var commandLine = File.ReadAllText(Path.Combine(folder, "cmdline"));
                if (commandLine.Contains(_dataFolder, StringComparison.Ordinal)
                    || File.ReadAllText(Path.Combine(folder, "environ")).Contains(_dataFolder, StringComparison.Ordinal))
                {
                    found.Add($"{Path.GetFileName(folder)}: {commandLine.Replace('\0', ' ')}");
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked, or belongs to somebody else.
            }
        }

        return found;
    }

    /// <summary>The last lines of output, to put into a message.</summary>
    public string Tail() => _appHost.Tail();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_appHost.HasExited) await InterruptAsync();
        await _appHost.DisposeAsync();
        _http.Dispose();
    }

    Uri Query(string path) => new($"http://127.0.0.1:{Text(8080 + _portOffset)}{path}");

    Uri Generator(string path) => new($"http://127.0.0.1:{Text(8090 + _portOffset)}{path}");

    static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
