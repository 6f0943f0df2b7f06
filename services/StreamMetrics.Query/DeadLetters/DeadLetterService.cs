using System.Text;
using System.Text.Unicode;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Pipeline;
using StreamMetrics.Query.Stores;
using StreamMetrics.ServiceDefaults.Kafka;

namespace StreamMetrics.Query.DeadLetters;

/// <summary>
/// Shows what was put aside and sends it again, straight from and to Kafka. One reader and one producer serve everybody, one request at a
/// time: people browse dead letters, no machine does.
/// </summary>
sealed class DeadLetterService(IConfiguration configuration) : IDisposable
{
    const string Kafka = "Kafka";
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    readonly SemaphoreSlim _one = new(1, 1);
    readonly Lazy<IConsumer<byte[]?, byte[]?>> _consumer = new(() => CreateConsumer(Servers(configuration), configuration));
    readonly Lazy<IProducer<byte[]?, byte[]?>> _producer = new(() => CreateProducer(Servers(configuration), configuration));

    /// <exception cref="StoreUnavailableException">Kafka does not answer.</exception>
    public Task<DeadLettersAnswer> ListAsync(DeadLetterQuery query, CancellationToken token) => OneAtATimeAsync(() => List(query), token);

    /// <summary>Sends the original bytes to the input topic once more; the processors count it once, however often it is sent.</summary>
    /// <exception cref="NotFoundException">There is no such record (any more).</exception>
    /// <exception cref="StoreUnavailableException">Kafka does not answer.</exception>
    public Task<ReplayAnswer> ReplayAsync(DeadLetterTopic topic, int partition, long offset, CancellationToken token) => OneAtATimeAsync(async () =>
    {
        var record = Find(new(topic.Topic, partition), offset);
        var origin = $"{topic.Topic}/{partition}/{offset}";
        var sent = await _producer.Value.ProduceAsync(
            Topics.Events,
            new() { Key = record.Message.Key, Value = record.Message.Value, Headers = new Headers { { KafkaHeaders.Replay, Encoding.UTF8.GetBytes(origin) } } },
            CancellationToken.None);
        return new ReplayAnswer { Replayed = origin, Topic = sent.Topic, Partition = sent.Partition, Offset = sent.Offset };
    }, token);

    public void Dispose()
    {
        if (_consumer.IsValueCreated) _consumer.Value.Dispose();
        if (_producer.IsValueCreated) _producer.Value.Dispose();
        _one.Dispose();
    }

    DeadLettersAnswer List(DeadLetterQuery query)
    {
        var pages = Enumerable.Range(0, query.Topic.Partitions).Select(p => Page(query, p)).ToList();
        var shown = Newest(pages, query.Limit);
        // of each partition: before the oldest that is shown, if some are held back, else before all that was looked at
        var before = pages.Select((page, p) => shown.Count(r => r.Partition == p) switch
        {
            var all when all == page.Matches.Count => page.LookedAtFrom,
            0 => page.Matches[0].Offset.Value + 1,
            var some => page.Matches[some - 1].Offset.Value,
        }).ToList();
        var isMore = pages.Zip(before).Any(p => p.Second > p.First.Low);
        return new() { DeadLetters = [.. shown.Select(r => ToAnswer(query.Topic, r))], Next = isMore ? DeadLetterQuery.ToCursor(before) : null };
    }

    // Takes from the front of each partition's matches only: what is held back of a partition is older in its order, whatever its clock says.
    static List<ConsumeResult<byte[]?, byte[]?>> Newest(List<PartitionPage> pages, int limit)
    {
        var shown = new List<ConsumeResult<byte[]?, byte[]?>>();
        var next = new int[pages.Count];
        while (shown.Count < limit)
        {
            var best = -1;
            for (var p = 0; p < pages.Count; p++)
            {
                if (next[p] < pages[p].Matches.Count && (best < 0 || TimeOf(p) > TimeOf(best))) best = p;
            }

            if (best < 0) break;
            shown.Add(pages[best].Matches[next[best]++]);
        }

        return shown;

        long TimeOf(int p) => pages[p].Matches[next[p]].Message.Timestamp.UnixTimestampMs;
    }

    PartitionPage Page(DeadLetterQuery query, int partition)
    {
        var consumer = _consumer.Value;
        var topicPartition = new TopicPartition(query.Topic.Topic, partition);
        var watermarks = consumer.QueryWatermarkOffsets(topicPartition, Timeout);
        var low = Math.Max(watermarks.Low.Value, query.From is { } from ? OffsetAt(topicPartition, from, watermarks.High.Value) : 0);
        var high = Math.Min(watermarks.High.Value, query.To is { } to ? OffsetAt(topicPartition, to, watermarks.High.Value) : long.MaxValue);
        if (query.Before is { } before) high = Math.Min(high, before[partition]);
        var page = new PartitionPage(consumer, topicPartition, low, Math.Max(low, high));
        page.Find(r => IsMatch(query, r), query.Limit);
        return page;
    }

    // the first offset whose record is not older, or the end when all are
    long OffsetAt(TopicPartition partition, long time, long end)
    {
        var offset = _consumer.Value.OffsetsForTimes([new(partition, new Timestamp(time, TimestampType.CreateTime))], Timeout)[0].Offset;
        return offset.IsSpecial ? end : offset.Value;
    }

    static bool IsMatch(DeadLetterQuery query, ConsumeResult<byte[]?, byte[]?> record) =>
        (query.Reason is null || Header(record, KafkaHeaders.Reason) == query.Reason)
        && (query.ServiceId is null || Text(record.Message.Key) == query.ServiceId);

    ConsumeResult<byte[]?, byte[]?> Find(TopicPartition partition, long offset)
    {
        var watermarks = _consumer.Value.QueryWatermarkOffsets(partition, Timeout);
        if (offset >= watermarks.Low.Value && offset < watermarks.High.Value)
        {
            var page = new PartitionPage(_consumer.Value, partition, offset, offset + 1);
            page.Find(r => r.Offset == offset, 1);
            if (page.Matches is [var record]) return record;
        }

        throw new NotFoundException($"There is no record {partition.Topic}/{partition.Partition.Value}/{offset}; there are offsets from {watermarks.Low.Value} to before {watermarks.High.Value}.");
    }

    static DeadLetterAnswer ToAnswer(DeadLetterTopic topic, ConsumeResult<byte[]?, byte[]?> record)
    {
        var value = record.Message.Value ?? [];
        return new()
        {
            Topic = topic.Name,
            Partition = record.Partition,
            Offset = record.Offset,
            Time = record.Message.Timestamp.UnixTimestampMs,
            Key = Text(record.Message.Key),
            Reason = Header(record, KafkaHeaders.Reason),
            Message = Header(record, KafkaHeaders.Message),
            Headers = record.Message.Headers.GroupBy(h => h.Key).ToDictionary(h => h.Key, h => Encoding.UTF8.GetString(h.Last().GetValueBytes() ?? [])),
            Size = value.Length,
            Text = Utf8.IsValid(value) ? Encoding.UTF8.GetString(value) : null,
            Base64 = value,
        };
    }

    static string? Header(ConsumeResult<byte[]?, byte[]?> record, string name) => record.Message.Headers.TryGetLastBytes(name, out var bytes) ? Text(bytes) : null;

    static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);

    // the client's calls block, so they get a thread of the pool
    async Task<T> OneAtATimeAsync<T>(Func<Task<T>> work, CancellationToken token)
    {
        await _one.WaitAsync(token);
        try
        {
            return await Task.Run(work, CancellationToken.None);
        }
        catch (KafkaException exception)
        {
            throw new StoreUnavailableException(Kafka, exception.Error.Reason, exception);
        }
        finally
        {
            _one.Release();
        }
    }

    Task<T> OneAtATimeAsync<T>(Func<T> work, CancellationToken token) => OneAtATimeAsync(() => Task.FromResult(work()), token);

    static string Servers(IConfiguration configuration) =>
        KafkaOffsets.ServersOf(configuration) ?? throw new StoreUnavailableException(Kafka, $"{KafkaOffsets.Key} is not set");

    static IConsumer<byte[]?, byte[]?> CreateConsumer(string servers, IConfiguration configuration) => new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
    {
        BootstrapServers = servers,
        ClientId = "streammetrics-query-dead-letters",
        // needed by the client, never joined
        GroupId = "streammetrics-query-dead-letters",
        EnableAutoCommit = false,
        EnablePartitionEof = true,
        FetchWaitMaxMs = 10,
        IsolationLevel = IsolationLevel.ReadCommitted,
    }.WithSecurity(configuration)).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();

    static IProducer<byte[]?, byte[]?> CreateProducer(string servers, IConfiguration configuration) => new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig
    {
        BootstrapServers = servers,
        ClientId = "streammetrics-query-replay",
        Acks = Acks.All,
        EnableIdempotence = true,
        LingerMs = 0,
        MessageTimeoutMs = (int)Timeout.TotalMilliseconds,
        Partitioner = Partitioner.Murmur2Random,
    }.WithSecurity(configuration)).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();
}
