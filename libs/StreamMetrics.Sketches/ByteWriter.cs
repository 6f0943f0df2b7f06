using System.Buffers;
using System.Buffers.Binary;

namespace StreamMetrics.Sketches;

/// <summary>Writes the primitives of our encodings and of protobuf: variable-length integers of 7 bits a byte, low bits first.</summary>
/// <param name="output">Receives the bytes; <see cref="Flush"/> hands them over.</param>
ref struct ByteWriter(IBufferWriter<byte> output)
{
    const int MaxVarintLength = 10;

    Span<byte> _span = output.GetSpan(64);
    int _used;

    public void Byte(byte value) => Take(1)[0] = value;

    public void Varint(ulong value)
    {
        var span = Take(MaxVarintLength);
        var length = 0;
        while (value >= 0x80)
        {
            span[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[length++] = (byte)value;
        _used -= MaxVarintLength - length;
    }

    /// <summary>Signed, zigzag: 0, -1, 1, -2 … become 0, 1, 2, 3 …</summary>
    public void Signed(long value) => Varint((ulong)(value << 1 ^ value >> 63));

    public void Double(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Take(sizeof(double)), value);

    public void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    public void Fixed64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(sizeof(ulong)), value);

    public void Flush()
    {
        output.Advance(_used);
        _used = 0;
        _span = default;
    }

    Span<byte> Take(int count)
    {
        if (_span.Length - _used < count)
        {
            output.Advance(_used);
            _used = 0;
            _span = output.GetSpan(Math.Max(count, 256));
        }

        var taken = _span.Slice(_used, count);
        _used += count;
        return taken;
    }

    /// <summary>Bytes that <see cref="Varint"/> takes.</summary>
    public static int VarintLength(ulong value) => (70 - System.Numerics.BitOperations.LeadingZeroCount(value | 1)) / 7;

    /// <summary>The zigzag form of a signed number.</summary>
    public static ulong ZigZag(long value) => (ulong)(value << 1 ^ value >> 63);
}
