using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using K4os.Compression.LZ4;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// The LZ4 frame format (lz4_Frame_format.md 1.6): magic, {FLG, BD, optional content size and dictionary id, header checksum}, blocks of {size u32
/// with the top bit = stored, data, optional checksum}, end mark 0. All little-endian.
/// </summary>
internal static class Lz4Frame
{
    const uint Magic = 0x184D2204, StoredBit = 0x80000000;
    const int HeaderBytes = 7, BlockBytes = 4 << 20, MaxDictionaryBytes = 1 << 16;
    const byte BlockChecksumFlag = 0x10, ContentSizeFlag = 0x08, DictionaryFlag = 0x01;

    /// <summary>Version 01, independent blocks; maximal block size 4 MiB.</summary>
    const byte Flags = 0x60, BlockSizeCode = 0x70;

    public static byte[]? TryDecompress(ReadOnlySpan<byte> source, int maxBytes, out int length)
    {
        length = 0;
        if (source.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic) return null;
        var flags = source[4];
        var blockLimit = 1 << (8 + 2 * ((source[5] >> 4) & 7));
        var header = HeaderBytes + ((flags & ContentSizeFlag) != 0 ? 8 : 0) + ((flags & DictionaryFlag) != 0 ? 4 : 0);
        if (source.Length < header) return null;
        source = source[header..];
        using var output = new WireWriter(Math.Max(4096, source.Length * 3));
        while (source.Length >= 4)
        {
            var word = BinaryPrimitives.ReadUInt32LittleEndian(source);
            if (word == 0) return Copy(output, out length);
            var size = (int)(word & ~StoredBit);
            if (size > source.Length - 4 || size > blockLimit || output.Length > maxBytes) return null;
            if (!TryBlock(source.Slice(4, size), stored: (word & StoredBit) != 0, output, blockLimit)) return null;
            var used = 4 + size + ((flags & BlockChecksumFlag) != 0 ? 4 : 0);
            if (used > source.Length) return null;
            source = source[used..];
        }

        return null;
    }

    public static void Compress(ReadOnlySpan<byte> source, WireWriter into)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(word, Magic);
        into.Raw(word);
        ReadOnlySpan<byte> descriptor = [Flags, BlockSizeCode];
        into.Raw(descriptor);
        into.Byte((byte)(XxHash32.HashToUInt32(descriptor) >> 8));
        for (; !source.IsEmpty; source = source[Math.Min(source.Length, BlockBytes)..])
        {
            var block = source[..Math.Min(source.Length, BlockBytes)];
            var at = into.Length;
            into.Raw([0, 0, 0, 0]);
            var size = LZ4Codec.Encode(block, into.Room(LZ4Codec.MaximumOutputSize(block.Length)));
            var stored = size <= 0 || size >= block.Length;
            if (stored) into.Raw(block);
            else into.Advance(size);
            BinaryPrimitives.WriteUInt32LittleEndian(into.WrittenMutable[at..], stored ? (uint)block.Length | StoredBit : (uint)size);
        }

        into.Raw([0, 0, 0, 0]);
    }

    static bool TryBlock(ReadOnlySpan<byte> block, bool stored, WireWriter output, int blockLimit)
    {
        if (stored)
        {
            output.Raw(block);
            return true;
        }

        // Linked blocks refer to the 64 KiB before them; for independent ones the dictionary is there but unused.
        var room = output.Room(blockLimit);
        var dictionary = output.Written[Math.Max(0, output.Length - MaxDictionaryBytes)..];
        var size = dictionary.IsEmpty ? LZ4Codec.Decode(block, room) : LZ4Codec.Decode(block, room, dictionary);
        if (size < 0) return false;
        output.Advance(size);
        return true;
    }

    static byte[] Copy(WireWriter output, out int length)
    {
        length = output.Length;
        var target = ArrayPool<byte>.Shared.Rent(length);
        output.Written.CopyTo(target);
        return target;
    }
}
