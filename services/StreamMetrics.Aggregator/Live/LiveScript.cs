using StackExchange.Redis;

namespace StreamMetrics.Aggregator.Live;

/// <summary>
/// The script that writes all windows of a series in one call. A state is a function of the log, so whoever wrote it, the larger (topic
/// incarnation, offset) is the newer one; an older one changes nothing, which makes every call safe to repeat.
/// </summary>
static class LiveScript
{
    /// <summary>
    /// KEYS: incarnations, catalog of services, catalog of the service, then the hash of each window.
    /// ARGV: see <see cref="LiveEntry"/>, which writes them. Answers how many windows were newer.
    /// </summary>
    public const string Text = """
        local incarnation = redis.call('HGET', KEYS[1], ARGV[1])
        if not incarnation then
          incarnation = redis.call('HINCRBY', KEYS[1], '', 1)
          redis.call('HSET', KEYS[1], ARGV[1], incarnation)
        end
        incarnation = tonumber(incarnation)
        local offset = tonumber(ARGV[2])
        if ARGV[9] ~= '' then
          redis.call('HSET', KEYS[2], ARGV[6], ARGV[7])
          redis.call('HSET', KEYS[3], ARGV[8], ARGV[9])
        end
        local written, a = 0, 16
        for k = 4, #KEYS do
          local key = KEYS[k]
          local old = redis.call('HMGET', key, 'incarnation', 'offset')
          local oldIncarnation = tonumber(old[1])
          if not oldIncarnation or incarnation > oldIncarnation or (incarnation == oldIncarnation and offset > tonumber(old[2])) then
            redis.call('HSET', key, 'serviceId', ARGV[6], 'metricName', ARGV[10], 'metricType', ARGV[11], 'unit', ARGV[12],
              'scope', ARGV[13], 'tags', ARGV[14], 'window', ARGV[a], 'start', ARGV[a + 1], 'end', ARGV[a + 2], 'kind', ARGV[a + 3],
              'count', ARGV[a + 4], 'sum', ARGV[a + 5], 'avg', ARGV[a + 6], 'min', ARGV[a + 7], 'max', ARGV[a + 8],
              'p50', ARGV[a + 9], 'p95', ARGV[a + 10], 'p99', ARGV[a + 11], 'rate', ARGV[a + 12], 'last', ARGV[a + 13],
              'lastTime', ARGV[a + 14], 'errors', ARGV[a + 15], 'maxRelativeError', ARGV[a + 17], 'late', ARGV[a + 18],
              'sketch', ARGV[a + 19], 'partition', ARGV[15], 'asOfOffset', ARGV[2],
              'asOf', ARGV[3], 'incarnation', incarnation, 'offset', ARGV[2])
            if ARGV[a + 16] == '' then redis.call('HDEL', key, 'exemplar') else redis.call('HSET', key, 'exemplar', ARGV[a + 16]) end
            redis.call('EXPIRE', key, ARGV[4])
            redis.call('PUBLISH', ARGV[5], ARGV[a + 20])
            written = written + 1
          end
          a = a + 21
        end
        return written
        """;

    /// <summary>Calls the script.</summary>
    /// <param name="database">The database.</param>
    /// <param name="keys">Keys.</param>
    /// <param name="arguments">Arguments.</param>
    public static Task<RedisResult> CallAsync(IDatabase database, RedisKey[] keys, RedisValue[] arguments) =>
        database.ScriptEvaluateAsync(Text, keys, arguments);
}
