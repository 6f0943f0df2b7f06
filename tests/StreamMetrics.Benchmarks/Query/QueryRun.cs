using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;
using StreamMetrics.Benchmarks.Aggregator;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Benchmarks.Query;

/// <summary>
/// The query service as a process of its own, with a real PostgreSQL and Redis that hold a day of 500 series: how long questions take, and what a
/// thousand WebSocket subscribers cost. Prints the figures of docs/api.md.
/// </summary>
static class QueryRun
{
    const long Hour = 3_600_000;
    const int WarmUp = 1_500;

    /// <summary>Runs it.</summary>
    /// <param name="args"><c>[--requests 2000] [--subscribers 1000] [--slow 100] [--seconds 60]</c>.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        await using var postgres = await RealPostgres.StartAsync();
        await using var redis = await RealRedis.StartAsync();
        using var connection = await redis.ConnectAsync();
        var database = await postgres.CreateDatabaseAsync();
        var history = new SyntheticHistory { To = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 60_000 * 60_000 };
        var started = TimeProvider.System.GetTimestamp();
        await history.WriteAsync(database, connection.GetDatabase());
        Console.WriteLine($"A day of {SyntheticHistory.Services * SyntheticHistory.SeriesPerService} series and {SyntheticHistory.Services} totals, written in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} s: "
            + string.Join(", ", history.Rows.Select(r => $"{r.Value} rows of {r.Key}")));
        await using var query = ServiceProcess.Start("StreamMetrics.Query", new Dictionary<string, string?>
        {
            ["ConnectionStrings__redis"] = redis.ConnectionString, ["ConnectionStrings__streammetrics"] = database, ["Query__SendOwnMetrics"] = "false", ["Query__RequestsPerSecond"] = "0",
        });
        await query.WaitForHealthAsync();
        await AskAsync(query, history, Arguments.Number(args, "--requests", 2_000));
        await SubscribeAsync(query, connection, Arguments.Number(args, "--subscribers", 1_000), Arguments.Number(args, "--slow", 100), Arguments.Number(args, "--seconds", 60));
        return 0;
    }

    static async Task AskAsync(ServiceProcess query, SyntheticHistory history, int requests)
    {
        using var http = new HttpClient { BaseAddress = query.Address };
        var random = new Random(1);
        var from = history.From;
        // What the machine, HTTP and the client take of every figure below.
        await MeasureAsync(query, http, "no question at all (/alive)", requests, "Healthy", () => "/alive");
        await MeasureAsync(query, http, "last hour of one series, 1m", requests, "}]}],\"source\":\"hot\"}", () => Path(random, $"window=1m&tags.endpoint=/api/v1/resource-{random.Next(SyntheticHistory.SeriesPerService)}"));
        await MeasureAsync(query, http, "last hour of a total, 1m", requests, "}]}],\"source\":\"hot\"}", () => Path(random, "window=1m"));
        await MeasureAsync(query, http, "an hour of yesterday of one series, 1m", requests, "}]}],\"source\":\"cold\"}", () =>
            Path(random, $"window=1m&from={from + Hour}&to={from + (2 * Hour)}&tags.endpoint=/api/v1/resource-{random.Next(SyntheticHistory.SeriesPerService)}"));
        await MeasureAsync(query, http, "the whole day of 50 series by endpoint, step 1h", Math.Max(20, requests / 5), "\"points\":[{", () => Path(random, $"window=1m&step=1h&from={from}&groupBy=endpoint&percentiles=99.9"));
        await MeasureAsync(query, http, "the whole day of a total, step 1h", requests, "\"points\":[{", () => Path(random, $"window=1m&step=1h&from={from}"));
    }

    static string Path(Random random, string parameters) =>
        $"/api/v1/services/{SyntheticHistory.Service(random.Next(SyntheticHistory.Services))}/metrics/{SyntheticHistory.Metric}/series?{parameters}";

    static async Task MeasureAsync(ServiceProcess query, HttpClient http, string name, int requests, string expected, Func<string> path)
    {
        var latencies = new Latencies();
        var bytes = 0L;
        var cpu = TimeSpan.Zero;
        // The first ones warm up: connections, plans, compiled code.
        for (var i = -Math.Max(requests / 2, Math.Min(requests, WarmUp)); i < requests; i++)
        {
            if (i == 0) cpu = Cpu(query.Pid);
            var started = TimeProvider.System.GetTimestamp();
            using var response = await http.GetAsync(new Uri(path(), UriKind.Relative));
            var body = await response.Content.ReadAsStringAsync();
            var elapsed = TimeProvider.System.GetElapsedTime(started);
            if (!response.IsSuccessStatusCode || !body.Contains(expected, StringComparison.Ordinal)) throw new InvalidOperationException($"{name}: {body[..Math.Min(500, body.Length)]}");
            if (i < 0) continue;
            latencies.Add(elapsed.TotalMilliseconds);
            bytes += body.Length;
        }

        Console.WriteLine($"{name}: {latencies}; {bytes / requests / 1024} KiB and {(Cpu(query.Pid) - cpu).TotalMilliseconds / requests:0.00} ms of the service's processor time an answer");
    }

    static async Task SubscribeAsync(ServiceProcess query, IConnectionMultiplexer redis, int count, int slow, int seconds)
    {
        long Memory() => long.Parse(
            File.ReadLines($"/proc/{query.Pid}/status").Single(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;

        Console.WriteLine($"{count} WebSocket subscribers at 10 updates/s each, {slow} of which never read; memory of the service before: {Memory() >> 20} MiB");
        await using var subscribers = new Subscribers(new UriBuilder(query.Address) { Scheme = "ws", Path = "/ws/v1/stream" }.Uri, redis, Memory);
        await subscribers.ConnectAsync(count, slow);
        var cpu = Cpu(query.Pid);
        var latencies = await subscribers.PublishAsync(TimeSpan.FromSeconds(seconds));
        Console.WriteLine($"  at the end: {Memory() >> 20} MiB; {(Cpu(query.Pid) - cpu).TotalSeconds / seconds:0.00} cores");
        var expected = (long)(count - slow) * seconds * 10;
        Console.WriteLine($"  published to received, {latencies}; {latencies.Count * 100.0 / expected:0.0} % of the updates came, the rest was replaced by a newer one");
    }

    static TimeSpan Cpu(int pid)
    {
        using var process = Process.GetProcessById(pid);
        return process.TotalProcessorTime;
    }
}
