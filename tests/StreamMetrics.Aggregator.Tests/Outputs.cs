using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Aggregator.Tests;

/// <summary>What the aggregators have committed.</summary>
sealed record Outputs(IReadOnlyList<string> Aggregates, IReadOnlyList<Aggregate> Parsed, IReadOnlyList<string> DeadLetters, IReadOnlyList<string> LateRecords)
{
    static readonly string[] Windows = [WindowNames.OneMinute, WindowNames.FiveMinutes, WindowNames.FifteenMinutes];

    /// <summary>Reads the output topics.</summary>
    /// <param name="bootstrapServers">The cluster.</param>
    public static async Task<Outputs> ReadAsync(string bootstrapServers)
    {
        var lines = new List<string>();
        var parsed = new List<Aggregate>();
        foreach (var window in Windows)
        {
            foreach (var record in await TopicReader.ReadAsync(bootstrapServers, Topics.Aggregated(window)))
            {
                lines.Add(OfflineRun.Line(window, record.Message.Key, record.Message.Value));
                parsed.Add(JsonSerializer.Deserialize(record.Message.Value, ContractsJson.Default.Aggregate)!);
            }
        }

        lines.Sort(StringComparer.Ordinal);
        return new(lines, parsed, await OriginsAsync(bootstrapServers, Topics.DeadLetter), await OriginsAsync(bootstrapServers, Topics.Late));
    }

    static async Task<List<string>> OriginsAsync(string bootstrapServers, string topic)
    {
        var records = await TopicReader.ReadAsync(bootstrapServers, topic);
        var origins = records.ConvertAll(r => $"{Header(r, KafkaHeaders.Partition)}/{Header(r, KafkaHeaders.Offset)}");
        origins.Sort(StringComparer.Ordinal);
        return origins;
    }

    static string Header(ConsumeResult<byte[]?, byte[]?> record, string name) => Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
}
