using System.Buffers.Binary;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// The header of a record batch, format 2, decoded (Kafka documentation, "Record Batch"; all big-endian):
/// <code>
///  0 baseOffset i64 |  8 batchLength i32 | 12 leaderEpoch i32 | 16 magic i8 | 17 crc u32 over 21..end | 21 attributes i16
/// 23 lastOffsetDelta i32 | 27 baseTimestamp i64 | 35 maxTimestamp i64 | 43 producerId i64 | 51 producerEpoch i16
/// 53 baseSequence i32 | 57 recordsCount i32 | 61 records
/// </code>
/// Base offset and leader epoch lie outside the CRC, so giving a batch its offset costs no pass over the data.
/// </summary>
internal readonly struct BatchHeader
{
    public const int Size = 61;

    /// <summary>Bytes before the part that batchLength counts.</summary>
    public const int Overhead = 12;

    public const int CrcStart = 21;
    const int MagicAt = 16, CrcAt = 17, AttributesAt = 21, BaseTimestampAt = 27, MaxTimestampAt = 35;

    public const short CodecMask = 0x07, LogAppendTimeBit = 0x08, TransactionalBit = 0x10, ControlBit = 0x20, DeleteHorizonBit = 0x40;

    public required long BaseOffset { get; init; }
    public required int TotalSize { get; init; }
    public required byte Magic { get; init; }
    public required uint Crc { get; init; }
    public required short Attributes { get; init; }
    public required int LastOffsetDelta { get; init; }
    public required long BaseTimestamp { get; init; }
    public required long MaxTimestamp { get; init; }
    public required long ProducerId { get; init; }
    public required short ProducerEpoch { get; init; }
    public required int BaseSequence { get; init; }
    public required int RecordCount { get; init; }

    public long LastOffset => BaseOffset + LastOffsetDelta;
    public int Codec => Attributes & CodecMask;
    public bool IsTransactional => (Attributes & TransactionalBit) != 0;
    public bool IsControl => (Attributes & ControlBit) != 0;
    public bool IsLogAppendTime => (Attributes & LogAppendTimeBit) != 0;
    public bool HasDeleteHorizon => (Attributes & DeleteHorizonBit) != 0;
    public bool HasProducer => ProducerId >= 0;

    /// <summary>Sequence number of the last record; sequences wrap from the largest int to 0.</summary>
    public int LastSequence => (int)(((long)BaseSequence + LastOffsetDelta) & int.MaxValue);

    /// <summary>Decodes the first <see cref="Size"/> bytes; says nothing about whether they make sense.</summary>
    public static BatchHeader Read(ReadOnlySpan<byte> b) => new()
    {
        BaseOffset = BinaryPrimitives.ReadInt64BigEndian(b),
        TotalSize = BinaryPrimitives.ReadInt32BigEndian(b[8..]) is var length && length <= int.MaxValue - Overhead ? length + Overhead : -1,
        Magic = b[MagicAt],
        Crc = BinaryPrimitives.ReadUInt32BigEndian(b[CrcAt..]),
        Attributes = BinaryPrimitives.ReadInt16BigEndian(b[AttributesAt..]),
        LastOffsetDelta = BinaryPrimitives.ReadInt32BigEndian(b[23..]),
        BaseTimestamp = BinaryPrimitives.ReadInt64BigEndian(b[BaseTimestampAt..]),
        MaxTimestamp = BinaryPrimitives.ReadInt64BigEndian(b[MaxTimestampAt..]),
        ProducerId = BinaryPrimitives.ReadInt64BigEndian(b[43..]),
        ProducerEpoch = BinaryPrimitives.ReadInt16BigEndian(b[51..]),
        BaseSequence = BinaryPrimitives.ReadInt32BigEndian(b[53..]),
        RecordCount = BinaryPrimitives.ReadInt32BigEndian(b[57..]),
    };

    /// <summary>Offset and size alone, for walking over batches.</summary>
    public static (long BaseOffset, int TotalSize, long LastOffset) ReadExtent(ReadOnlySpan<byte> b)
    {
        var offset = BinaryPrimitives.ReadInt64BigEndian(b);
        return (offset, BinaryPrimitives.ReadInt32BigEndian(b[8..]) + Overhead, offset + BinaryPrimitives.ReadInt32BigEndian(b[23..]));
    }

    public static bool CrcMatches(ReadOnlySpan<byte> batch, uint crc) => Crc32C.Compute(batch[CrcStart..]) == crc;

    /// <summary>Gives the batch its place in the log (leader epoch 0: there is one leader for ever).</summary>
    public static void SetOffset(Span<byte> batch, long baseOffset)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[Overhead..], 0);
    }

    /// <summary>Stamps the batch with the broker's time (message.timestamp.type=LogAppendTime) and renews its CRC.</summary>
    public static void SetLogAppendTime(Span<byte> batch, short attributes, long now)
    {
        BinaryPrimitives.WriteInt16BigEndian(batch[AttributesAt..], (short)(attributes | LogAppendTimeBit));
        BinaryPrimitives.WriteInt64BigEndian(batch[MaxTimestampAt..], now);
        RenewCrc(batch);
    }

    public static void RenewCrc(Span<byte> batch) => BinaryPrimitives.WriteUInt32BigEndian(batch[CrcAt..], Crc32C.Compute(batch[CrcStart..]));

    /// <summary>Writes a header with a zero CRC and length; <see cref="BatchBuilder"/> completes it.</summary>
    public static void Write(Span<byte> b, long baseOffset, int totalSize, short attributes, int lastOffsetDelta, long baseTimestamp, long maxTimestamp,
        long producerId, short producerEpoch, int baseSequence, int recordCount)
    {
        BinaryPrimitives.WriteInt64BigEndian(b, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(b[8..], totalSize - Overhead);
        BinaryPrimitives.WriteInt32BigEndian(b[Overhead..], 0);
        b[MagicAt] = 2;
        BinaryPrimitives.WriteInt16BigEndian(b[AttributesAt..], attributes);
        BinaryPrimitives.WriteInt32BigEndian(b[23..], lastOffsetDelta);
        BinaryPrimitives.WriteInt64BigEndian(b[BaseTimestampAt..], baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(b[MaxTimestampAt..], maxTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(b[43..], producerId);
        BinaryPrimitives.WriteInt16BigEndian(b[51..], producerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(b[53..], baseSequence);
        BinaryPrimitives.WriteInt32BigEndian(b[57..], recordCount);
    }
}
