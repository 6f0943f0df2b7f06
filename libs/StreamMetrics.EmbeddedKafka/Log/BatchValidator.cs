namespace StreamMetrics.EmbeddedKafka;

/// <summary>The answer to one appended batch.</summary>
/// <param name="Error">Why it was refused, or None.</param>
/// <param name="BaseOffset">Offset of its first record, -1 when refused.</param>
/// <param name="LogAppendTime">Broker time it was stamped with, -1 for CreateTime topics.</param>
/// <param name="Message">What a user should read, with an error.</param>
/// <param name="Records">The records the error is about, by their place in the batch; null = the whole batch.</param>
internal readonly record struct AppendResult(ErrorCode Error, long BaseOffset, long LogAppendTime = -1, string? Message = null, List<int>? Records = null)
{
    public static AppendResult Refused(ErrorCode error, string? message = null, List<int>? records = null) => new(error, -1, -1, message, records);
}

/// <summary>What a client's batch must fulfil before it is let into a log; Kafka's order of checks (UnifiedLog, LogValidator).</summary>
internal static class BatchValidator
{
    const int ZStandard = 4;

    /// <summary>Checks one partition's records of a Produce request; None with a message never occurs.</summary>
    public static AppendResult Validate(ReadOnlySpan<byte> records, LogSettings settings, short produceVersion, out BatchHeader header)
    {
        header = default;
        if (records.Length < BatchHeader.Size)
            return records.Length >= 17 && records[16] < 2
                ? AppendResult.Refused(ErrorCode.UnsupportedForMessageFormat, "Only record batches of format 2 are accepted.")
                : AppendResult.Refused(ErrorCode.CorruptMessage, "The record batch is shorter than its header.");

        header = BatchHeader.Read(records);
        if (header.Magic != 2) return AppendResult.Refused(ErrorCode.UnsupportedForMessageFormat, "Only record batches of format 2 are accepted.");
        if (header.TotalSize < BatchHeader.Size || header.TotalSize > records.Length)
            return AppendResult.Refused(ErrorCode.CorruptMessage, "The batch length does not fit the request.");
        if (header.TotalSize != records.Length)
            return AppendResult.Refused(ErrorCode.InvalidRecord, "A produce request may hold one batch per partition.");
        if (header.TotalSize > settings.MaxMessageBytes)
            return AppendResult.Refused(ErrorCode.MessageTooLarge, $"The batch has {header.TotalSize} bytes, max.message.bytes is {settings.MaxMessageBytes}.");
        if (!BatchHeader.CrcMatches(records, header.Crc)) return AppendResult.Refused(ErrorCode.CorruptMessage, "The CRC of the batch is wrong.");
        return ValidateHeader(records, header, settings, produceVersion);
    }

    static AppendResult ValidateHeader(ReadOnlySpan<byte> records, in BatchHeader header, LogSettings settings, short produceVersion)
    {
        if (header.BaseOffset != 0) return AppendResult.Refused(ErrorCode.InvalidRecord, "The base offset of a produced batch must be 0.");
        if (header.RecordCount <= 0 || header.LastOffsetDelta != header.RecordCount - 1)
            return AppendResult.Refused(ErrorCode.InvalidRecord, "The record count of the batch does not fit its last offset.");
        if (header.IsControl) return AppendResult.Refused(ErrorCode.InvalidRecord, "Clients may not write control records.");
        if (header.HasProducer && header.BaseSequence < 0)
            return AppendResult.Refused(ErrorCode.InvalidRecord, "A batch with a producer id needs a sequence number.");
        if (header.IsTransactional && !header.HasProducer)
            return AppendResult.Refused(ErrorCode.InvalidRecord, "A transactional batch needs a producer id.");
        if (header.Codec > ZStandard || (header.Codec == ZStandard && produceVersion < 7))
            return AppendResult.Refused(ErrorCode.UnsupportedCompressionType, $"Compression codec {header.Codec} is not known in Produce v{produceVersion}.");
        if (header.IsLogAppendTime && !settings.LogAppendTime)
            return AppendResult.Refused(ErrorCode.InvalidTimestamp, "Producers may not set the log append time.");
        return settings.Compact ? ValidateKeys(records, header) : default;
    }

    /// <summary>Every record of a compacted topic needs a key; the only check that looks into the records.</summary>
    static AppendResult ValidateKeys(ReadOnlySpan<byte> records, in BatchHeader header)
    {
        using var reader = new RecordReader(records, header);
        List<int>? keyless = null;
        for (var index = 0; reader.TryRead(out var record); index++)
        {
            if (!record.HasKey) (keyless ??= []).Add(index);
        }

        if (reader.IsCorrupt) return AppendResult.Refused(ErrorCode.CorruptMessage, "The records of the batch cannot be decoded.");
        return keyless is null ? default : AppendResult.Refused(ErrorCode.InvalidRecord, "Compacted topics accept only records with a key.", keyless);
    }
}
