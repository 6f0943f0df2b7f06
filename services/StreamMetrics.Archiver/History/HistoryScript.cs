namespace StreamMetrics.Archiver.History;

/// <summary>The script that puts a row into the sorted set of its series.</summary>
static class HistoryScript
{
    /// <summary>
    /// Replaces the member of a start unless its revision is as new or newer; whoever writes in whatever order, the newest stays. Then drops
    /// what is older than the last hour.
    /// </summary>
    public const string Text = """
        local key, start, revision, member, oldest, ttl = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
        local found = redis.call('ZRANGEBYSCORE', key, start, start)
        for i = 1, #found do
          if cjson.decode(found[i]).revision >= revision then return 0 end
        end
        if #found > 0 then redis.call('ZREMRANGEBYSCORE', key, start, start) end
        redis.call('ZADD', key, start, member)
        redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. oldest)
        redis.call('EXPIRE', key, ttl)
        return 1
        """;
}
