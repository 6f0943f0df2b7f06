using System.Text.Json;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Stores;

/// <summary>Reads a member of the sorted set <c>history:*</c> (docs/formats/redis.md): a stored window's JSON, sketch and revision with it.</summary>
static class RedisHistory
{
    /// <exception cref="FormatException">The member is unreadable.</exception>
    public static StoredWindow Read(HotKey key, RedisValue member)
    {
        try
        {
            if (JsonSerializer.Deserialize((byte[])member!, ContractsJson.Default.Aggregate) is { } aggregate)
                return new(aggregate with { Kind = AggregateKind.Final }, key.TagsHash, aggregate.Revision ?? 1, DataSource.Hot);
        }
        catch (JsonException exception)
        {
            throw new FormatException($"unreadable member in the history of {key}: {exception.Message}", exception);
        }

        throw new FormatException($"empty member in the history of {key}");
    }
}
