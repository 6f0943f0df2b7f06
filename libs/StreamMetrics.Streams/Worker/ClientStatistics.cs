using System.Text.Json;

namespace StreamMetrics.Streams.Worker;

/// <summary>What we take from librdkafka's statistics of one client (STATISTICS.md of librdkafka): totals since its start and, once two are known, rates.</summary>
/// <param name="Client">Client id.</param>
/// <param name="IsProducer">Producer or consumer.</param>
/// <param name="Microseconds">The client's monotonic time, µs.</param>
/// <param name="Records">Records sent or received since its start.</param>
/// <param name="Errors">Requests that failed since its start.</param>
/// <param name="LatencyMs">Mean round trip over its brokers, weighted by requests, ms.</param>
sealed record ClientStatistics(string Client, bool IsProducer, long Microseconds, long Records, long Errors, double LatencyMs)
{
    /// <summary>Records per second since the statistics before.</summary>
    public double RecordsPerSecond { get; private init; }

    /// <summary>Failed requests per second since the statistics before.</summary>
    public double ErrorsPerSecond { get; private init; }

    /// <summary>Reads one statistics document.</summary>
    /// <param name="json">The document.</param>
    public static ClientStatistics Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var producer = root.GetProperty("type").ValueEquals("producer");
        long errors = 0, requests = 0;
        double weighted = 0;
        foreach (var broker in root.GetProperty("brokers").EnumerateObject())
        {
            errors += broker.Value.GetProperty("txerrs").GetInt64();
            var rtt = broker.Value.GetProperty("rtt");
            var count = rtt.GetProperty("cnt").GetInt64();
            requests += count;
            weighted += count * rtt.GetProperty("avg").GetDouble() / 1_000;
        }

        return new(
            root.GetProperty("client_id").GetString() ?? "",
            producer,
            root.GetProperty("ts").GetInt64(),
            root.GetProperty(producer ? "txmsgs" : "rxmsgs").GetInt64(),
            errors,
            requests == 0 ? 0 : weighted / requests);
    }

    /// <summary>This, with rates since an earlier one of the same client; a restarted client counts from zero again.</summary>
    /// <param name="before">The earlier one, if any.</param>
    public ClientStatistics Since(ClientStatistics? before)
    {
        if (before is null || before.Records > Records || before.Microseconds >= Microseconds) return this;
        var seconds = (Microseconds - before.Microseconds) / 1e6;
        return this with { RecordsPerSecond = (Records - before.Records) / seconds, ErrorsPerSecond = Math.Max(0, Errors - before.Errors) / seconds };
    }
}
