using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// Reads Kafka's primitive types from a request. In a flexible version strings, arrays and bytes are compact (unsigned varint of
/// length + 1, 0 = null) and every structure ends with tagged fields, otherwise lengths are fixed-size integers (-1 = null); callers write one code
/// for both. A read beyond the end is a <see cref="ProtocolException"/>; an array length is at most the number of bytes left, so it bounds
/// what a request can make the broker allocate.
/// </summary>
internal ref struct WireReader(ReadOnlySpan<byte> buffer, bool flexible)
{
    readonly ReadOnlySpan<byte> _buffer = buffer;
    readonly bool _flexible = flexible;
    int _position;

    public readonly int Position => _position;

    public readonly int Remaining => _buffer.Length - _position;

    public byte Byte() => Take(1)[0];

    public bool Bool() => Byte() != 0;

    public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public Guid Uuid() => new(Take(16), bigEndian: true);

    public string String() => NullableString() ?? Fail<string>("a string is null where a value is required");

    public string? NullableString()
    {
        var length = _flexible ? CompactLength() : Int16();
        return length < 0 ? null : Encoding.UTF8.GetString(Take(length));
    }

    /// <summary>A string of the old, not compact kind: the client id of a request header and the keys of internal records.</summary>
    public string? OldString()
    {
        var length = Int16();
        return length < 0 ? null : Encoding.UTF8.GetString(Take(length));
    }

    /// <summary>The UTF-8 bytes of a string that is only looked up, never kept.</summary>
    public ReadOnlySpan<byte> StringBytes()
    {
        var length = _flexible ? CompactLength() : Int16();
        return length < 0 ? Fail<byte[]>("a string is null where a value is required") : Take(length);
    }

    /// <summary>Bytes or records; null reads as empty.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        var length = _flexible ? CompactLength() : Int32();
        return length < 0 ? default : Take(length);
    }

    /// <summary>Number of elements that follow; -1 = null.</summary>
    public int ArrayLength()
    {
        var length = _flexible ? CompactLength() : Int32();
        if (length < -1 || length > Remaining) Fail<int>($"array of {length} elements in {Remaining} bytes");
        return length;
    }

    public int[] Int32Array()
    {
        var length = ArrayLength();
        if (length > Remaining / 4) Fail<int>($"array of {length} integers in {Remaining} bytes");
        var values = length <= 0 ? [] : new int[length];
        for (var i = 0; i < values.Length; i++) values[i] = Int32();
        return values;
    }

    /// <summary>Skips the tagged fields at the end of a structure; does nothing in versions without them.</summary>
    public void Tags()
    {
        if (!_flexible) return;
        var count = UnsignedVarint();
        while (count-- > 0)
        {
            UnsignedVarint();
            Take(checked((int)Math.Min(UnsignedVarint(), int.MaxValue)));
        }
    }

    public uint UnsignedVarint()
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var b = Byte();
            value |= (uint)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }

        return Fail<uint>("a varint is longer than 5 bytes");
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)Remaining) Fail<int>($"{count} bytes wanted at {_position}, {Remaining} left");
        var taken = _buffer.Slice(_position, count);
        _position += count;
        return taken;
    }

    int CompactLength()
    {
        var length = UnsignedVarint();
        return length > int.MaxValue ? Fail<int>("a length is above 2 GiB") : (int)length - 1;
    }

    [DoesNotReturn]
    static T Fail<T>(string what) => throw new ProtocolException($"Malformed request: {what}.");
}
