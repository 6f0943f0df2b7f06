using System.Buffers.Binary;

namespace StreamMetrics.Streams;

/// <summary>The partitioner of Kafka's Java client and of librdkafka's <c>murmur2_random</c> (MurmurHash2, Austin Appleby, public domain).</summary>
static class Murmur2
{
    const uint Seed = 0x9747B28C;
    const uint M = 0x5BD1E995;

    public static int Partition(ReadOnlySpan<byte> key, int partitions) => (int)(Hash(key) & 0x7FFFFFFF) % partitions;

    public static uint Hash(ReadOnlySpan<byte> key)
    {
        var hash = Seed ^ (uint)key.Length;
        var rest = key;
        for (; rest.Length >= 4; rest = rest[4..])
        {
            var k = BinaryPrimitives.ReadUInt32LittleEndian(rest) * M;
            k = (k ^ (k >> 24)) * M;
            hash = hash * M ^ k;
        }

        for (var i = rest.Length - 1; i >= 0; i--) hash ^= (uint)rest[i] << (8 * i);
        if (rest.Length > 0) hash *= M;
        hash = (hash ^ (hash >> 13)) * M;
        return hash ^ (hash >> 15);
    }
}
