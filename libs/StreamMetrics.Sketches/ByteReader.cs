using System.Buffers.Binary;

namespace StreamMetrics.Sketches;

/// <summary>Reads what <see cref="ByteWriter"/> writes. Short or overlong input throws <see cref="FormatException"/>.</summary>
/// <param name="bytes">The input.</param>
/// <param name="canonical">Refuse integers that are longer than they need be (protobuf allows them).</param>
ref struct ByteReader(ReadOnlySpan<byte> bytes, bool canonical = false)
{
    ReadOnlySpan<byte> _rest = bytes;

    public readonly bool AtEnd => _rest.IsEmpty;

    public readonly int Remaining => _rest.Length;

    public byte Byte() => Take(1)[0];

    public ulong Varint()
    {
        var value = 0ul;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var next = Byte();
            // The tenth byte holds the top bit only.
            if (shift == 63 && next > 1) break;
            value |= (ulong)(next & 0x7F) << shift;
            if (next >= 0x80) continue;
            if (canonical && next == 0 && shift > 0) throw new FormatException("A variable-length integer is longer than it need be.");
            return value;
        }

        throw new FormatException("A variable-length integer has more than 64 bits.");
    }

    public long Signed()
    {
        var value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public double Double() => BinaryPrimitives.ReadDoubleLittleEndian(Take(sizeof(double)));

    public ulong Fixed64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    /// <summary>A length that what is left can hold.</summary>
    public int Length(int max = int.MaxValue)
    {
        var length = Varint();
        if (length > (ulong)_rest.Length || length > (ulong)max) throw new FormatException($"A field of {length} bytes does not fit.");
        return (int)length;
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)_rest.Length) throw new FormatException("The bytes end in the middle of a field.");
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
