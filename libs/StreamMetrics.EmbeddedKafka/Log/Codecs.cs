using System.Buffers;
using System.IO.Compression;
using ZstdSharp;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// The compression codecs of record batches. Batches pass through the broker as they are; it looks inside only to find a timestamp, to check keys of
/// compacted topics and to compact. What expands beyond <see cref="MaxDecompressedBytes"/> counts as corrupt.
/// </summary>
internal static class Codecs
{
    public const int None = 0, GZip = 1, Snappy = 2, Lz4 = 3, ZStandard = 4;

    const int MaxDecompressedBytes = 1 << 27;

    /// <summary>The header of the framing that Java producers put around snappy blocks (xerial snappy-java).</summary>
    static ReadOnlySpan<byte> XerialMagic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    const int XerialHeaderBytes = 16;

    /// <summary>Decompresses into an array of the shared pool, which the caller gives back; null when the data is not valid.</summary>
    public static byte[]? TryDecompress(int codec, ReadOnlySpan<byte> source, out int length)
    {
        length = 0;
        try
        {
            return codec switch
            {
                GZip => Inflate(source, static stream => new GZipStream(stream, CompressionMode.Decompress), out length),
                Snappy => source.StartsWith(XerialMagic) ? UnframeSnappy(source[XerialHeaderBytes..], out length) : Unsnap(source, out length),
                Lz4 => Lz4Frame.TryDecompress(source, MaxDecompressedBytes, out length),
                ZStandard => Inflate(source, static stream => new DecompressionStream(stream), out length),
                _ => null,
            };
        }
        catch (Exception e) when (e is InvalidDataException or ZstdException or ArgumentException or EndOfStreamException)
        {
            return null;
        }
    }

    /// <summary>Compresses the records of a rewritten batch with the codec they had.</summary>
    public static void Compress(int codec, ReadOnlySpan<byte> source, WireWriter into)
    {
        switch (codec)
        {
            case None:
                into.Raw(source);
                break;
            case GZip:
                using (var buffer = new MemoryStream())
                {
                    using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(source);
                    into.Raw(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
                }

                break;
            case Snappy:
                into.Advance(Snappier.Snappy.Compress(source, into.Room(Snappier.Snappy.GetMaxCompressedLength(source.Length))));
                break;
            case Lz4:
                Lz4Frame.Compress(source, into);
                break;
            case ZStandard:
                using (var compressor = new Compressor()) into.Advance(compressor.Wrap(source, into.Room(Compressor.GetCompressBound(source.Length))));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(codec), codec, "Not a codec of Kafka.");
        }
    }

    static byte[]? Unsnap(ReadOnlySpan<byte> source, out int length)
    {
        length = Snappier.Snappy.GetUncompressedLength(source);
        if (length > MaxDecompressedBytes) return null;
        var target = ArrayPool<byte>.Shared.Rent(length);
        length = Snappier.Snappy.Decompress(source, target);
        return target;
    }

    /// <summary>Blocks of {length i32, snappy block}.</summary>
    static byte[]? UnframeSnappy(ReadOnlySpan<byte> source, out int length)
    {
        using var output = new WireWriter(source.Length * 2);
        length = 0;
        while (source.Length >= 4)
        {
            var size = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(source);
            if (size < 0 || size > source.Length - 4) return null;
            var block = source.Slice(4, size);
            var expanded = Snappier.Snappy.GetUncompressedLength(block);
            if (output.Length + (long)expanded > MaxDecompressedBytes) return null;
            output.Advance(Snappier.Snappy.Decompress(block, output.Room(expanded)));
            source = source[(4 + size)..];
        }

        length = output.Length;
        var target = ArrayPool<byte>.Shared.Rent(length);
        output.Written.CopyTo(target);
        return target;
    }

    static unsafe byte[]? Inflate(ReadOnlySpan<byte> source, Func<Stream, Stream> open, out int length)
    {
        length = 0;
        fixed (byte* start = source)
        {
            using var input = new UnmanagedMemoryStream(start, source.Length);
            using var inflater = open(input);
            var target = ArrayPool<byte>.Shared.Rent(Math.Max(source.Length * 4, 4096));
            while (inflater.Read(target, length, target.Length - length) is var read && read > 0)
            {
                length += read;
                if (length < target.Length) continue;
                if (length >= MaxDecompressedBytes) return null;
                var larger = ArrayPool<byte>.Shared.Rent(length * 2);
                target.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(target);
                target = larger;
            }

            return target;
        }
    }
}
