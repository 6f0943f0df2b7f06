using System.Buffers;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>One record inside a batch; spans are valid until the reader is disposed.</summary>
internal ref struct RecordView
{
    public long TimestampDelta;
    public int OffsetDelta;
    public bool HasKey;
    public bool HasValue;
    public ReadOnlySpan<byte> Key;
    public ReadOnlySpan<byte> Value;

    /// <summary>Everything after the value: header count and headers, as they are.</summary>
    public ReadOnlySpan<byte> Headers;
}

/// <summary>Walks over the records of a batch, decompressing them first when needed. Never throws for what the bytes are: see <see cref="IsCorrupt"/>.</summary>
internal ref struct RecordReader
{
    readonly byte[]? _rented;
    ReadOnlySpan<byte> _rest;
    int _left;

    public RecordReader(ReadOnlySpan<byte> batch, in BatchHeader header)
    {
        var body = batch[BatchHeader.Size..header.TotalSize];
        _left = header.RecordCount;
        if (header.Codec == 0)
        {
            _rest = body;
            return;
        }

        _rented = Codecs.TryDecompress(header.Codec, body, out var length);
        if (_rented is null) IsCorrupt = true;
        else _rest = _rented.AsSpan(0, length);
    }

    /// <summary>Whether reading ended because the bytes are not what the header says.</summary>
    public bool IsCorrupt { get; private set; }

    public bool TryRead(out RecordView record)
    {
        record = default;
        if (IsCorrupt || _left == 0) return false;
        _left--;
        if (!TryVarint(ref _rest, out var length) || length < 0 || length > _rest.Length) return Corrupt();
        var body = _rest[..(int)length];
        _rest = _rest[(int)length..];
        if (body.IsEmpty) return Corrupt();
        body = body[1..];
        if (!TryVarint(ref body, out record.TimestampDelta) || !TryVarint(ref body, out var offsetDelta)) return Corrupt();
        record.OffsetDelta = (int)offsetDelta;
        if (!TryBytes(ref body, out record.HasKey, out record.Key) || !TryBytes(ref body, out record.HasValue, out record.Value)) return Corrupt();
        record.Headers = body;
        return true;
    }

    public readonly void Dispose()
    {
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
    }

    bool Corrupt()
    {
        IsCorrupt = true;
        return false;
    }

    static bool TryBytes(scoped ref ReadOnlySpan<byte> from, out bool present, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        present = false;
        if (!TryVarint(ref from, out var length) || length > from.Length) return false;
        if (length < 0) return true;
        present = true;
        bytes = from[..(int)length];
        from = from[(int)length..];
        return true;
    }

    static bool TryVarint(scoped ref ReadOnlySpan<byte> from, out long value)
    {
        ulong raw = 0;
        for (int i = 0, shift = 0; i < from.Length && shift < 64; i++, shift += 7)
        {
            raw |= (ulong)(from[i] & 0x7f) << shift;
            if (from[i] >= 0x80) continue;
            from = from[(i + 1)..];
            value = (long)(raw >> 1) ^ -(long)(raw & 1);
            return true;
        }

        value = 0;
        return false;
    }
}
