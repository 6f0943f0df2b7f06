using System.Text.Json;

namespace StreamMetrics.Contracts;

/// <summary>
/// What the metrics <c>kafka.producer.*</c> and <c>kafka.consumer.*</c> need of librdkafka's statistics of one client (STATISTICS.md of librdkafka 2.x): totals
/// since the client's start and, once two are known, rates.
/// </summary>
/// <param name="Name">Unique in the process: the client id with kind and number of the client.</param>
/// <param name="Client">Client id.</param>
/// <param name="IsProducer">Producer or consumer.</param>
/// <param name="Microseconds">The client's monotonic time, µs.</param>
/// <param name="Records">Records that were acknowledged, or received, since its start.</param>
/// <param name="Errors">Requests that failed since its start.</param>
/// <param name="LatencyMs">Mean round trip over its brokers, weighted by requests, ms; 0 without a request.</param>
public sealed record KafkaStatistics(string Name, string Client, bool IsProducer, long Microseconds, long Records, long Errors, double LatencyMs)
{
    /// <summary>Records per second since the statistics before; 0 while there are none.</summary>
    public double RecordsPerSecond { get; private init; }

    /// <summary>Failed requests per second since the statistics before; 0 while there are none.</summary>
    public double ErrorsPerSecond { get; private init; }

    /// <summary>Reads one statistics document.</summary>
    /// <param name="json">The document.</param>
    /// <exception cref="JsonException">It is no JSON.</exception>
    /// <exception cref="KeyNotFoundException">A field that librdkafka always writes is missing.</exception>
    public static KafkaStatistics Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var isProducer = root.GetProperty("type").ValueEquals("producer");
        long errors = 0, requests = 0;
        double weighted = 0;
        foreach (var broker in root.GetProperty("brokers").EnumerateObject())
        {
            errors += broker.Value.GetProperty("txerrs").GetInt64();
            var trip = broker.Value.GetProperty("rtt");
            var count = trip.GetProperty("cnt").GetInt64();
            requests += count;
            weighted += count * trip.GetProperty("avg").GetDouble() / 1_000;
        }

        return new(
            root.GetProperty("name").GetString() ?? "",
            root.GetProperty("client_id").GetString() ?? "",
            isProducer,
            root.GetProperty("ts").GetInt64(),
            root.GetProperty(isProducer ? "txmsgs" : "rxmsgs").GetInt64(),
            errors,
            requests == 0 ? 0 : weighted / requests);
    }

    /// <summary>This, with rates since an earlier one of the same client; a client that was started anew counts from zero again.</summary>
    /// <param name="before">The earlier one, if any.</param>
    public KafkaStatistics Since(KafkaStatistics? before)
    {
        if (before is null || before.Records > Records || before.Microseconds >= Microseconds) return this;
        var seconds = (Microseconds - before.Microseconds) / 1e6;
        return this with { RecordsPerSecond = (Records - before.Records) / seconds, ErrorsPerSecond = Math.Max(0, Errors - before.Errors) / seconds };
    }
}
