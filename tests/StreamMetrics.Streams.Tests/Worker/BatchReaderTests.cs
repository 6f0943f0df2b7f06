using System.Text;
using Confluent.Kafka;
using StreamMetrics.Streams.Worker;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

[Collection(RealKafkaCollection.Name)]
public class BatchReaderTests(ProductKafkaFixture fixture)
{
    const int Records = 20_000;

    [RealKafkaFact]
    public async Task Reads_every_record_once_and_in_order_with_its_headers()
    {
        var topic = await FilledTopicAsync();
        using var consumer = Consumer();
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        using var reader = new BatchReader(consumer, 1_000);
        var next = 0;
        await Eventually.TrueAsync("all records are read", () =>
        {
            reader.Read(TimeSpan.FromMilliseconds(50));
            for (var i = 0; i < reader.Count; i++) Check(reader, i, next++);
            reader.Release();
            return next == Records;
        });
    }

    [RealKafkaFact]
    public async Task Nothing_is_lost_or_repeated_across_pause_seek_and_resume()
    {
        var topic = await FilledTopicAsync();
        using var consumer = Consumer();
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        using var reader = new BatchReader(consumer, 300);
        long next = 0;
        var rounds = 0;
        await Eventually.TrueAsync("all records are read", () =>
        {
            reader.Read(TimeSpan.FromMilliseconds(50));
            for (var i = 0; i < reader.Count; i++) Assert.Equal(next++, OffsetOf(reader, i));
            reader.Release();
            if (next > 0 && next < Records && ++rounds % 5 == 0)
            {
                consumer.Pause([new(topic, 0)]);
                next = Math.Max(0, next - 100);
                consumer.Seek(new(topic, 0, next));
                consumer.Resume([new(topic, 0)]);
            }

            return next == Records;
        });
        Assert.True(rounds >= 10);
    }

    static unsafe long OffsetOf(BatchReader reader, int index)
    {
        Assert.Equal(ErrorCode.NoError, reader[index]->Error);
        return reader[index]->Offset;
    }

    static unsafe void Check(BatchReader reader, int index, int number)
    {
        Assert.Equal(number, OffsetOf(reader, index));
        var message = reader[index];
        Assert.Equal($"v{number}", Encoding.UTF8.GetString(message->Value, (int)message->ValueLength));
        nint headers;
        byte* value;
        nuint size;
        Assert.Equal(0, Librdkafka.Headers(message, &headers));
        fixed (byte* name = "h"u8) Assert.Equal(0, Librdkafka.LastHeader(headers, name, &value, &size));
        Assert.Equal($"h{number}", Encoding.UTF8.GetString(value, (int)size));
    }

    IConsumer<Ignore, Ignore> Consumer() => new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
    {
        BootstrapServers = fixture.Kafka.BootstrapServers,
        GroupId = "reader",
        EnableAutoCommit = false,
        QueuedMinMessages = 1_000,
        FetchQueueBackoffMs = 5,
    }).Build();

    async Task<string> FilledTopicAsync()
    {
        var topic = $"reader-{Guid.NewGuid():n}";
        await fixture.Kafka.CreateTopicAsync(topic);
        using var producer = fixture.Kafka.CreateProducer();
        for (var i = 0; i < Records; i++)
        {
            producer.Produce(topic, new()
            {
                Value = Encoding.UTF8.GetBytes($"v{i}"),
                Headers = [new Header("h", Encoding.UTF8.GetBytes($"h{i}"))],
            });
        }

        producer.Flush(Eventually.DefaultTimeout);
        return topic;
    }
}
