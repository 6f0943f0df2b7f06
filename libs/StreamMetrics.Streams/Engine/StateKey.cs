using System.Diagnostics.CodeAnalysis;

namespace StreamMetrics.Streams;

/// <summary>The key of a state record, compared by its bytes, so that it can be looked up without a copy.</summary>
/// <param name="Bytes">The bytes.</param>
readonly record struct StateKey(byte[] Bytes)
{
    public bool Equals(StateKey other) => Bytes.AsSpan().SequenceEqual(other.Bytes);

    public override int GetHashCode() => StateKeyComparer.Hash(Bytes);
}

/// <summary>Compares state keys with spans of bytes.</summary>
sealed class StateKeyComparer : IEqualityComparer<StateKey>, IAlternateEqualityComparer<ReadOnlySpan<byte>, StateKey>
{
    public static readonly StateKeyComparer Instance = new();

    public bool Equals(StateKey x, StateKey y) => x.Equals(y);

    public int GetHashCode([DisallowNull] StateKey obj) => obj.GetHashCode();

    public bool Equals(ReadOnlySpan<byte> alternate, StateKey other) => alternate.SequenceEqual(other.Bytes);

    public int GetHashCode(ReadOnlySpan<byte> alternate) => Hash(alternate);

    public StateKey Create(ReadOnlySpan<byte> alternate) => new(alternate.ToArray());

    public static int Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = new HashCode();
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }
}
