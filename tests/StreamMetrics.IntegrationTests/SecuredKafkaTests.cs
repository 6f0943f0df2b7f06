using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.IntegrationTests;

/// <summary>One secured broker for the tests below; without a real Kafka nothing is started and they are skipped.</summary>
public sealed class SecuredKafkaFixture : IAsyncLifetime
{
    SecuredKafka? _kafka;

    public SecuredKafka Kafka => _kafka ?? throw new InvalidOperationException(RealKafka.Unavailable);

    public async Task InitializeAsync()
    {
        if (RealKafka.Unavailable is null) _kafka = await SecuredKafka.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (_kafka is not null) await _kafka.DisposeAsync();
    }
}

/// <summary>
/// <c>Kafka:Security</c> from end to end, against a real broker that lets nobody in unknown: each service with another way to identify itself, and what a
/// user is told when a setting is wrong.
/// </summary>
[Collection(nameof(WholeSystemOnTheEmbeddedBrokerTests))] // one after the other: three systems at once starve on two cores
public sealed class SecuredKafkaTests(SecuredKafkaFixture fixture) : IClassFixture<SecuredKafkaFixture>
{
    const long Minute = 60_000;
    const string Metric = "/api/v1/services/payment-service/metrics/api.request.duration/current?window=1m-10s";

    static readonly string[] Services = ["StreamMetrics.LoadGenerator", "StreamMetrics.Aggregator", "StreamMetrics.Archiver", "StreamMetrics.Query"];

    readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };

    [RealKafkaTheory]
    [Trait("Category", "Full")]
    [InlineData("SCRAM-SHA-512", "PLAIN", "SCRAM-SHA-256", null)]
    [InlineData("PLAIN", "SCRAM-SHA-256", null, "SCRAM-SHA-512")]
    public Task Events_reach_the_API_and_a_stored_window_equals_the_ledger(string? generator, string? aggregator, string? archiver, string? query) =>
        RunAsync([generator, aggregator, archiver, query], untilStored: true);

    [RealKafkaFact]
    public Task Events_reach_the_API_and_every_client_gets_in() => RunAsync([null, "SCRAM-SHA-512", "PLAIN", "SCRAM-SHA-256"], untilStored: false);

    [RealKafkaFact]
    public async Task A_wrong_password_or_authority_is_one_clear_line_and_exit_code_1()
    {
        using var folder = new TempFolder("secured");
        var password = fixture.Kafka.Settings("SCRAM-SHA-512");
        password["Kafka__Security__Password"] = "wr0ng-password";
        var authority = fixture.Kafka.Settings("PLAIN");
        authority["Kafka__Security__CaFile"] = fixture.Kafka.WrongAuthorityFile;
        var runs = Services.SelectMany(service => new[] { ErrorOfAsync(service, password, folder), ErrorOfAsync(service, authority, folder) });
        var errors = await Task.WhenAll(runs);
        for (var i = 0; i < errors.Length; i += 2)
        {
            Assert.StartsWith("error: Kafka:Security: the broker does not accept this user, password or mechanism", errors[i], StringComparison.Ordinal);
            Assert.StartsWith("error: Kafka:Security: no TLS connection to the broker; check Protocol, CaFile and CertificateFile", errors[i + 1], StringComparison.Ordinal);
            Assert.Contains("certificate verify failed", errors[i + 1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_missing_file_is_one_clear_line_and_exit_code_1()
    {
        using var folder = new TempFolder("secured");
        var missing = folder.Combine("ca.pem");
        var settings = new Dictionary<string, string?>
        {
            ["ConnectionStrings__kafka"] = "127.0.0.1:1", ["Kafka__Security__Protocol"] = "SSL", ["Kafka__Security__CaFile"] = missing,
        };
        var errors = await Task.WhenAll(Services.Select(service => ErrorOfAsync(service, settings, folder)));
        Assert.All(errors, error => Assert.Equal($"error: Kafka:Security:CaFile is '{missing}': there is no such file.", error));
    }

    async Task RunAsync(string?[] mechanisms, bool untilStored)
    {
        using var folder = new TempFolder("secured");
        await using var redis = await RealRedis.StartAsync();
        await using var postgres = await RealPostgres.StartAsync();
        var stores = Stores(folder, redis.ConnectionString, await postgres.CreateDatabaseAsync());
        var running = Services.Zip(mechanisms, (service, mechanism) => ServiceProcess.Start(service, Merge(stores, fixture.Kafka.Settings(mechanism)))).ToList();
        try
        {
            foreach (var service in running) await service.WaitForHealthAsync();
            await AssertEveryClientGetsInAsync(running[3].Address, stores["ConnectionStrings__streammetrics"]!);
            if (untilStored) await AssertStoredEqualsLedgerAsync(running[0], stores["ConnectionStrings__streammetrics"]!);
            foreach (var service in running) Assert.Equal(0, await service.StopAsync());
        }
        finally
        {
            foreach (var service in running) await service.DisposeAsync();
        }
    }

    /// <summary>Live values (generator, aggregator), the query service's own events (the client library), its view of Kafka, and dead letters read and replayed.</summary>
    async Task AssertEveryClientGetsInAsync(Uri query, string database)
    {
        await Eventually.AssertAsync("live values and the query service's own events are there", async () =>
        {
            Assert.Equal("hot", (await GetAsync(query, Metric)).GetProperty("source").GetString());
            var services = (await GetAsync(query, "/api/v1/services")).GetProperty("services").EnumerateArray().Select(s => s.GetProperty("serviceId").GetString());
            Assert.Contains("streammetrics-query", services);
            var pipeline = await GetAsync(query, "/api/v1/pipeline");
            Assert.Equal("up", pipeline.GetProperty("dependencies").GetProperty("kafka").GetString());
            Assert.NotEqual(JsonValueKind.Null, pipeline.GetProperty("lag").ValueKind);
        });
        // Corrections of windows long closed come at once; a final window takes its minute.
        await Eventually.AssertAsync("the archiver stores", async () => Assert.True(await StoredAsync(database) > 0));
        await Eventually.AssertAsync("a dead letter is shown and replayed", async () =>
        {
            var letters = (await GetAsync(query, "/api/v1/dead-letters")).GetProperty("deadLetters");
            var letter = letters.EnumerateArray().First();
            using var answer = await _http.PostAsync(
                new Uri(query, $"/api/v1/dead-letters/{letter.GetProperty("partition").GetInt32()}/{letter.GetProperty("offset").GetInt64()}/replay"), null);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        });
    }

    /// <summary>Of the next whole minute: the one that runs may have events of the test before, which used the same topics.</summary>
    async Task AssertStoredEqualsLedgerAsync(ServiceProcess generator, string database)
    {
        var start = (Now() / Minute + 1) * Minute;
        await Eventually.AssertAsync("a final window in PostgreSQL equals the ledger", async () =>
        {
            Assert.True(Now() > start + Minute, "The window is still open.");
            var windows = (await GetAsync(generator.Address, $"/ledger?from={Text(start)}&to={Text(start + Minute)}")).GetProperty("windows").EnumerateArray();
            var expected = windows.Sum(window => window.GetProperty("count").GetInt64());
            Assert.InRange(expected, 1, long.MaxValue);
            Assert.Equal(expected, await StoredAsync(database, start));
        }, TimeSpan.FromMinutes(10));
    }

    /// <summary>Events in the windows that PostgreSQL has: of one start, or all.</summary>
    static async Task<long> StoredAsync(string database, long? start = null)
    {
        await using var source = NpgsqlDataSource.Create(database + ";Pooling=false");
        await using var command = source.CreateCommand("""
            SELECT coalesce(sum(count), 0)::bigint FROM metric_aggregates
            WHERE scope = 'total' AND window_size = '1m' AND ($1::float8 IS NULL OR timestamp = to_timestamp($1 / 1000.0)) AND service_id <> 'streammetrics-query'
            """);
        command.Parameters.AddWithValue(NpgsqlTypes.NpgsqlDbType.Double, start is { } ms ? (double)ms : DBNull.Value);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Runs a service to its end: exit code 1, nothing secret, and the one line it says.</summary>
    static async Task<string> ErrorOfAsync(string service, Dictionary<string, string?> settings, TempFolder folder)
    {
        await using var process = ServiceProcess.Start(service, Merge(Stores(folder, "127.0.0.1:1", "Host=127.0.0.1;Port=1;Database=none;Username=nobody"), settings));
        Assert.Equal(1, await process.WaitForExitAsync());
        Assert.DoesNotContain(process.Output, line => line.Contains("wr0ng-password", StringComparison.Ordinal) || line.Contains(SecuredKafka.Password, StringComparison.Ordinal));
        Assert.DoesNotContain(process.Output, line => line.StartsWith("   at ", StringComparison.Ordinal));
        return Assert.Single(process.Output, line => line.StartsWith("error: ", StringComparison.Ordinal));
    }

    static Dictionary<string, string?> Stores(TempFolder folder, string redis, string database) => new()
    {
        ["ConnectionStrings__redis"] = redis,
        ["ConnectionStrings__streammetrics"] = database,
        ["LoadGenerator__DataDirectory"] = folder.Combine($"generator-{Guid.NewGuid():N}"),
        ["LoadGenerator__EventsPerSecond"] = "200",
        ["LoadGenerator__InvalidShare"] = "0.05",
        ["LoadGenerator__LateShare"] = "0.05",
        ["Aggregator__DataDirectory"] = folder.Combine($"aggregator-{Guid.NewGuid():N}"),
        // Several start at once, perhaps on a busy machine.
        ["Kafka__Topics__Timeout"] = "00:05:00",
        ["Archiver__StartupTimeout"] = "00:05:00",
        ["Query__StartTimeout"] = "00:05:00",
    };

    static Dictionary<string, string?> Merge(Dictionary<string, string?> one, Dictionary<string, string?> other) =>
        one.Concat(other).ToDictionary(pair => pair.Key, pair => pair.Value);

    async Task<JsonElement> GetAsync(Uri address, string path) => await _http.GetFromJsonAsync<JsonElement>(new Uri(address, path));

    static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
