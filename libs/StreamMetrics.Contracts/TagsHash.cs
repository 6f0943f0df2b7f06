using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace StreamMetrics.Contracts;

/// <summary>Identifies a tag set in Redis keys and in PostgreSQL.</summary>
public static class TagsHash
{
    /// <summary>The hash of a total, which has no tags of its own.</summary>
    public const string Total = "";

    /// <summary>
    /// First 32 hex digits (lower case) of SHA-256 over the tags sorted by key (ordinal), each key and each value as UTF-8 with its
    /// length in bytes as 4 bytes big-endian before it.
    /// </summary>
    /// <param name="tags">The tags; an empty set has the hash of nothing.</param>
    public static string Compute(IReadOnlyDictionary<string, string> tags)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (key, value) in tags.OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            Append(hash, key);
            Append(hash, value);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    static void Append(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
