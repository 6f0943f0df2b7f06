namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>Exact bytes and error codes where other brokers have gone wrong.</summary>
public sealed class ProtocolTests(BrokerFixture broker) : IClassFixture<BrokerFixture>, IAsyncLifetime
{
    RawClient _client = null!;

    public async Task InitializeAsync() => _client = await RawClient.ConnectAsync(broker.Servers.Split(',')[0]);

    public async Task DisposeAsync() => await _client.DisposeAsync();

    [Fact]
    public async Task An_unknown_version_of_ApiVersions_is_answered_in_the_layout_of_version_0()
    {
        await _client.SendAsync(ApiKey.ApiVersions, 99, flexible: true, _ => { });
        Assert.Equal([0, 0, 0, 1, /* error */ 0, 35, /* one */ 0, 0, 0, 1, /* ApiVersions 0-4 */ 0, 18, 0, 0, 0, 4], await _client.ReceiveAsync());
    }

    [Fact]
    public async Task Produce_is_announced_from_version_0_and_answers_of_ApiVersions_have_an_old_header()
    {
        var answer = await _client.AskAsync(ApiKey.ApiVersions, 3, w =>
        {
            w.String("test");
            w.String("1");
            w.Tags();
        });
        Assert.Equal([0, 0, (byte)(ApiTable.All.Length + 1), /* Produce */ 0, 0, 0, 0, 0, 11], answer[..9]);
    }

    [Fact]
    public async Task An_old_Produce_closes_the_connection()
    {
        await _client.SendAsync(ApiKey.Produce, 2, flexible: false, w => w.Int16(1));
        Assert.True(await _client.IsClosedAsync());
    }

    [Fact]
    public async Task A_full_fetch_names_every_partition_with_both_ends_and_no_session()
    {
        var topic = await broker.CreateTopicAsync(2);
        var answer = await FetchAsync(topic, [(0, 0), (1, 0)], sessionId: 0);
        var r = new WireReader(answer, flexible: false);
        Assert.Equal((0, ErrorCode.None, 0), (r.Int32(), (ErrorCode)r.Int16(), r.Int32()));
        Assert.Equal((1, topic, 2), (r.ArrayLength(), r.String(), r.ArrayLength()));
        for (var partition = 0; partition < 2; partition++)
        {
            Assert.Equal((partition, ErrorCode.None, 0L, 0L, 0L), (r.Int32(), (ErrorCode)r.Int16(), r.Int64(), r.Int64(), r.Int64()));
            Assert.Equal((-1, -1, 0), (r.ArrayLength(), r.Int32(), r.Bytes().Length));
        }
    }

    [Fact]
    public async Task An_offset_beyond_the_end_is_answered_at_once_and_a_session_is_unknown()
    {
        var topic = await broker.CreateTopicAsync();
        // max_wait is a minute: only an answer that does not wait comes in time.
        var r = new WireReader(await FetchAsync(topic, [(0, 5)], sessionId: 0, maxWaitMs: 60_000), flexible: false);
        r.Take(4 + 2 + 4 + 4);
        r.String();
        Assert.Equal((1, 0, ErrorCode.OffsetOutOfRange), (r.ArrayLength(), r.Int32(), (ErrorCode)r.Int16()));
        r = new WireReader(await FetchAsync(topic, [(0, 0)], sessionId: 7), flexible: false);
        r.Int32();
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, (ErrorCode)r.Int16());
    }

    [Fact]
    public async Task A_resent_batch_gets_its_old_offset_a_gap_and_an_old_epoch_are_refused()
    {
        var topic = await broker.CreateTopicAsync();
        for (var i = 0; i < 7; i++) Assert.Equal((ErrorCode.None, i), await ProduceAsync(topic, 100, 1, i));
        for (var i = 2; i < 7; i++) Assert.Equal((ErrorCode.None, i), await ProduceAsync(topic, 100, 1, i));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(topic, 100, 1, 1)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(topic, 100, 1, 8)).Error);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await ProduceAsync(topic, 100, 0, 7)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(topic, 100, 2, 7)).Error);
        Assert.Equal((ErrorCode.None, 7), await ProduceAsync(topic, 100, 2, 0));
        // A producer nothing is known of may start anywhere: retention may have removed what was known.
        Assert.Equal((ErrorCode.None, 8), await ProduceAsync(topic, 101, 0, 1234));
    }

    [Fact]
    public async Task Sequences_wrap_after_the_largest_integer()
    {
        var topic = await broker.CreateTopicAsync();
        Assert.Equal((ErrorCode.None, 0), await ProduceAsync(topic, 200, 0, int.MaxValue));
        Assert.Equal((ErrorCode.None, 1), await ProduceAsync(topic, 200, 0, 0));
    }

    [Fact]
    public async Task A_late_transactional_batch_does_not_open_a_transaction_again()
    {
        var topic = await broker.CreateTopicAsync();
        var (producerId, epoch) = await InitAsync("late");
        await AddPartitionAsync("late", producerId, epoch, topic);
        Assert.Equal(ErrorCode.None, (await ProduceAsync(topic, producerId, epoch, 0, "late")).Error);
        Assert.Equal(ErrorCode.None, await EndAsync("late", producerId, epoch, commit: true));
        Assert.Equal(ErrorCode.None, await EndAsync("late", producerId, epoch, commit: true));
        Assert.Equal(ErrorCode.InvalidTxnState, await EndAsync("late", producerId, epoch, commit: false));
        Assert.Equal(ErrorCode.InvalidTxnState, (await ProduceAsync(topic, producerId, epoch, 1, "late")).Error);
    }

    [Fact]
    public async Task An_old_epoch_is_told_so_in_the_code_its_version_knows()
    {
        var topic = await broker.CreateTopicAsync();
        var (producerId, epoch) = await InitAsync("fenced");
        await AddPartitionAsync("fenced", producerId, epoch, topic);
        var (sameId, next) = await InitAsync("fenced");
        Assert.Equal((producerId, true), (sameId, next > epoch));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, await EndAsync("fenced", producerId, epoch, commit: true, version: 1));
        Assert.Equal(ErrorCode.ProducerFenced, await EndAsync("fenced", producerId, epoch, commit: true, version: 2));
        // The marker of the abort carries the new epoch, so the partition itself refuses the old one.
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await ProduceAsync(topic, producerId, epoch, 0, "fenced")).Error);
    }

    [Fact]
    public async Task Without_acks_there_is_no_answer_and_an_error_closes_the_connection()
    {
        var topic = await broker.CreateTopicAsync();
        await _client.SendAsync(ApiKey.Produce, 7, flexible: false, w => ProduceBody(w, topic, Batch(-1, -1, -1), null, acks: 0));
        var answer = await _client.AskAsync(ApiKey.ListOffsets, 1, w => ListOffsetsBody(w, topic));
        Assert.Equal(1, answer[^1]);
        await _client.SendAsync(ApiKey.Produce, 7, flexible: false, w => ProduceBody(w, "no-such-topic", Batch(-1, -1, -1), null, acks: 0));
        Assert.True(await _client.IsClosedAsync());
    }

    [Fact]
    public async Task Damaged_and_misdeclared_batches_are_refused()
    {
        var topic = await broker.CreateTopicAsync();
        async Task<ErrorCode> WithAsync(Action<byte[]> damage, bool renewCrc)
        {
            var batch = Batch(-1, -1, -1);
            damage(batch);
            if (renewCrc) BatchHeader.RenewCrc(batch);
            return (await ProduceAsync(topic, batch, null)).Error;
        }

        Assert.Equal(ErrorCode.CorruptMessage, await WithAsync(batch => batch[^1] ^= 1, renewCrc: false));
        Assert.Equal(ErrorCode.UnsupportedForMessageFormat, await WithAsync(batch => batch[16] = 1, renewCrc: true));
        Assert.Equal(ErrorCode.InvalidRecord, await WithAsync(batch => batch[22] = 0x20, renewCrc: true));
        Assert.Equal(ErrorCode.InvalidRecord, await WithAsync(batch => batch[60] = 9, renewCrc: true));
        Assert.Equal(ErrorCode.InvalidTimestamp, await WithAsync(batch => batch[22] = 0x08, renewCrc: true));
        Assert.Equal(ErrorCode.UnsupportedCompressionType, await WithAsync(batch => batch[22] = 0x05, renewCrc: true));
        Assert.Equal(ErrorCode.InvalidRecord, await WithAsync(batch => batch[7] = 1, renewCrc: true));
    }

    static byte[] Batch(long producerId, short epoch, int sequence, bool transactional = false)
    {
        using var builder = new BatchBuilder();
        builder.Start(1000).Add("k"u8, "v"u8);
        var batch = builder.Finish(producerId, epoch, transactional ? BatchHeader.TransactionalBit : (short)0).ToArray();
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(53), sequence);
        BatchHeader.RenewCrc(batch);
        return batch;
    }

    static void ProduceBody(WireWriter w, string topic, byte[] batch, string? transactionalId, short acks = -1)
    {
        w.String(transactionalId);
        w.Int16(acks);
        w.Int32(1000);
        w.ArrayLength(1);
        w.String(topic);
        w.ArrayLength(1);
        w.Int32(0);
        w.Bytes(batch);
    }

    static void ListOffsetsBody(WireWriter w, string topic)
    {
        w.Int32(-1);
        w.ArrayLength(1);
        w.String(topic);
        w.ArrayLength(1);
        w.Int32(0);
        w.Int64(-1);
    }

    Task<(ErrorCode Error, long Offset)> ProduceAsync(string topic, long producerId, short epoch, int sequence, string? transactionalId = null) =>
        ProduceAsync(topic, Batch(producerId, epoch, sequence, transactionalId is not null), transactionalId);

    async Task<(ErrorCode Error, long Offset)> ProduceAsync(string topic, byte[] batch, string? transactionalId)
    {
        var answer = await _client.AskAsync(ApiKey.Produce, 7, w => ProduceBody(w, topic, batch, transactionalId));
        var r = new WireReader(answer, flexible: false);
        r.ArrayLength();
        r.String();
        r.Take(8);
        return ((ErrorCode)r.Int16(), r.Int64());
    }

    Task<byte[]> FetchAsync(string topic, (int Partition, long Offset)[] partitions, int sessionId, int maxWaitMs = 0) => _client.AskAsync(ApiKey.Fetch, 11, w =>
    {
        w.Int32(-1);
        w.Int32(maxWaitMs);
        w.Int32(1);
        w.Int32(1 << 20);
        w.Byte(0);
        w.Int32(sessionId);
        w.Int32(-1);
        w.ArrayLength(1);
        w.String(topic);
        w.ArrayLength(partitions.Length);
        foreach (var (partition, offset) in partitions)
        {
            w.Int32(partition);
            w.Int32(-1);
            w.Int64(offset);
            w.Int64(-1);
            w.Int32(1 << 20);
        }

        w.ArrayLength(0);
        w.String("");
    });

    async Task<(long ProducerId, short Epoch)> InitAsync(string id)
    {
        var answer = await _client.AskAsync(ApiKey.InitProducerId, 1, w =>
        {
            w.String(id);
            w.Int32(60_000);
        });
        var r = new WireReader(answer, flexible: false);
        r.Int32();
        Assert.Equal(ErrorCode.None, (ErrorCode)r.Int16());
        return (r.Int64(), r.Int16());
    }

    async Task AddPartitionAsync(string id, long producerId, short epoch, string topic)
    {
        var answer = await _client.AskAsync(ApiKey.AddPartitionsToTxn, 0, w =>
        {
            w.String(id);
            w.Int64(producerId);
            w.Int16(epoch);
            w.ArrayLength(1);
            w.String(topic);
            w.Int32Array([0]);
        });
        Assert.Equal([0, 0], answer[^2..]);
    }

    async Task<ErrorCode> EndAsync(string id, long producerId, short epoch, bool commit, short version = 1)
    {
        var answer = await _client.AskAsync(ApiKey.EndTxn, version, w =>
        {
            w.String(id);
            w.Int64(producerId);
            w.Int16(epoch);
            w.Bool(commit);
        });
        return (ErrorCode)answer[^1];
    }
}
