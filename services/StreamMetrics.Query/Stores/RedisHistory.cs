using System.Text.Json;
using System.Text.Json.Serialization;
using StackExchange.Redis;
using StreamMetrics.Query.Model;
using Aggregate = StreamMetrics.Contracts.Aggregate;

namespace StreamMetrics.Query.Stores;

/// <summary>Reads a member of the sorted set <c>history:*</c> (docs/formats/redis.md).</summary>
static class RedisHistory
{
    /// <exception cref="FormatException">The member is unreadable.</exception>
    public static StoredWindow Read(HotKey key, RedisValue member)
    {
        try
        {
            var row = JsonSerializer.Deserialize((byte[])member!, RedisHistoryJson.Default.HistoryMember);
            if (row?.Aggregate is { } aggregate) return new(aggregate, key.TagsHash, row.Revision, DataSource.Hot);
        }
        catch (JsonException exception)
        {
            throw new FormatException($"unreadable member in the history of {key}: {exception.Message}", exception);
        }

        throw new FormatException($"member without aggregate in the history of {key}");
    }
}

sealed record HistoryMember(Aggregate? Aggregate, long Revision);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(HistoryMember))]
sealed partial class RedisHistoryJson : JsonSerializerContext;
