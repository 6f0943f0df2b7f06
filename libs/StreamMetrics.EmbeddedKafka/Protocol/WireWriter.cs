using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// Writes Kafka's primitive types into one pooled buffer that grows; the counterpart of <see cref="WireReader"/>. Owned by one
/// connection (or one log), used by one thread at a time.
/// </summary>
internal sealed class WireWriter(int capacity = 4096) : IDisposable
{
    /// <summary>No request may make the broker build a longer answer than this.</summary>
    const int MaxBytes = 256 << 20;

    byte[] _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>Whether compact types and tagged fields are written.</summary>
    public bool Flexible { get; set; }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public Span<byte> WrittenMutable => _buffer.AsSpan(0, Length);

    public void Byte(byte value) => Add(1)[0] = value;

    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void Int16(short value) => BinaryPrimitives.WriteInt16BigEndian(Add(2), value);

    public void Int32(int value) => BinaryPrimitives.WriteInt32BigEndian(Add(4), value);

    public void Int64(long value) => BinaryPrimitives.WriteInt64BigEndian(Add(8), value);

    public void Error(ErrorCode code) => Int16((short)code);

    public void Uuid(Guid value) => value.TryWriteBytes(Add(16), bigEndian: true, out _);

    public void String(string? value)
    {
        if (value is null)
        {
            if (Flexible) Byte(0);
            else Int16(-1);
            return;
        }

        var length = Encoding.UTF8.GetByteCount(value);
        if (Flexible) UnsignedVarint((uint)length + 1);
        else if (length <= short.MaxValue) Int16((short)length);
        else throw new ProtocolException($"A string of {length} bytes does not fit the answer.");
        Encoding.UTF8.GetBytes(value, Add(length));
    }

    /// <summary>A string that is already UTF-8, such as the topic name of the request.</summary>
    public void StringBytes(ReadOnlySpan<byte> value)
    {
        if (Flexible) UnsignedVarint((uint)value.Length + 1);
        else Int16((short)value.Length);
        Raw(value);
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        if (Flexible) UnsignedVarint((uint)value.Length + 1);
        else Int32(value.Length);
        Raw(value);
    }

    /// <summary>Starts an array; -1 = null.</summary>
    public void ArrayLength(int count)
    {
        if (Flexible) UnsignedVarint((uint)(count + 1));
        else Int32(count);
    }

    public void Int32Array(ReadOnlySpan<int> values)
    {
        ArrayLength(values.Length);
        foreach (var value in values) Int32(value);
    }

    /// <summary>Ends a structure: no tagged fields. Writes nothing in versions without them.</summary>
    public void Tags()
    {
        if (Flexible) Byte(0);
    }

    public void UnsignedVarint(uint value)
    {
        for (; value >= 0x80; value >>= 7) Byte((byte)(value | 0x80));
        Byte((byte)value);
    }

    /// <summary>A zigzag varint, the integers inside records.</summary>
    public void Varint(long value)
    {
        var zigzag = (ulong)((value << 1) ^ (value >> 63));
        for (; zigzag >= 0x80; zigzag >>= 7) Byte((byte)(zigzag | 0x80));
        Byte((byte)zigzag);
    }

    public void Raw(ReadOnlySpan<byte> value) => value.CopyTo(Add(value.Length));

    /// <summary>Makes room for <paramref name="count"/> more bytes without taking them; <see cref="Advance"/> takes what was filled.</summary>
    public Span<byte> Room(int count)
    {
        if (_buffer.Length - Length < count) Grow(count);
        return _buffer.AsSpan(Length, count);
    }

    public void Advance(int count) => Length += count;

    /// <summary>Overwrites a 32-bit integer that was written as a placeholder.</summary>
    public void PatchInt32(int position, int value) => BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(position), value);

    /// <summary>Moves written bytes; the caller sets the length afterwards.</summary>
    public void Move(int from, int to, int count)
    {
        if (from == to) return;
        if (to > from) Room(to - from);
        _buffer.AsSpan(from, count).CopyTo(_buffer.AsSpan(to));
    }

    public void Truncate(int length) => Length = length;

    /// <summary>Empties the writer and gives a large buffer back, so that an idle connection holds little memory.</summary>
    public void Reset()
    {
        Length = 0;
        if (_buffer.Length <= 1 << 16) return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = ArrayPool<byte>.Shared.Rent(4096);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        Length = 0;
    }

    Span<byte> Add(int count)
    {
        if (_buffer.Length - Length < count) Grow(count);
        var added = _buffer.AsSpan(Length, count);
        Length += count;
        return added;
    }

    void Grow(int count)
    {
        var wanted = Math.Max(Length + (long)count, _buffer.Length * 2L);
        if (Length + (long)count > MaxBytes) throw new ProtocolException($"The answer would be longer than {MaxBytes} bytes.");
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(wanted, MaxBytes));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
