using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace StreamMetrics.Contracts.Events;

// What makes the series, as bytes of the message: serviceId, metricType, metricName, unit and tags. Two events with the same bytes there
// have the same identity, so that a table of known bytes spares everything else.
public sealed partial class EventReader
{
    /// <summary>How many bytes must follow what <see cref="Matches"/> compares with: it reads in steps.</summary>
    public const int IdentityPadding = 32;

    // Odd constants with well mixed bits (the fractions of the square roots of 2, 3 and 5).
    const ulong Mix1 = 0x6A09E667F3BCC909;
    const ulong Mix2 = 0xBB67AE8584CAA73B;
    const ulong Mix3 = 0x3C6EF372FE94F82B;

    /// <summary>Lengths of serviceId, metricType, metricName and unit, 16 bits each.</summary>
    public ulong IdentityLengths =>
        (uint)_ranges[(int)Field.ServiceId] | (ulong)(uint)_ranges[(int)Field.MetricType] << 16
        | (ulong)(uint)_ranges[(int)Field.MetricName] << 32 | (ulong)(uint)_ranges[(int)Field.Unit] << 48;

    /// <summary>Bytes of the identity: the five parts one behind the other.</summary>
    public int IdentityLength =>
        (int)_ranges[(int)Field.ServiceId] + (int)_ranges[(int)Field.MetricType] + (int)_ranges[(int)Field.MetricName]
        + (int)_ranges[(int)Field.Unit] + (int)_ranges[(int)Field.Tags];

    /// <summary>A hash of the identity's bytes; the same in every process.</summary>
    public ulong IdentityHash()
    {
        var hash = Hash(Field.ServiceId, IdentityLengths ^ Mix3);
        hash = Hash(Field.MetricType, hash);
        hash = Hash(Field.MetricName, hash);
        hash = Hash(Field.Unit, hash);
        return Fold(hash ^ Mix2, HashTags());
    }

    /// <summary>True when the identity consists of these bytes.</summary>
    /// <param name="identity">First byte of a copy (<see cref="CopyIdentity"/>), with <see cref="IdentityPadding"/> bytes behind it.</param>
    /// <param name="length">Its length.</param>
    /// <param name="lengths">The <see cref="IdentityLengths"/> that go with it.</param>
    public bool Matches(ref byte identity, int length, ulong lengths)
    {
        if (lengths != IdentityLengths || length != IdentityLength) return false;
        var at = 0;
        return Take(ref identity, ref at, Field.ServiceId) && Take(ref identity, ref at, Field.MetricType) && Take(ref identity, ref at, Field.MetricName)
            && Take(ref identity, ref at, Field.Unit) && Take(ref identity, ref at, Field.Tags);
    }

    /// <summary>Copies the identity's bytes.</summary>
    /// <param name="destination">Of <see cref="IdentityLength"/>.</param>
    public void CopyIdentity(Span<byte> destination)
    {
        foreach (var field in (ReadOnlySpan<Field>)[Field.ServiceId, Field.MetricType, Field.MetricName, Field.Unit, Field.Tags])
        {
            var part = Span(field);
            part.CopyTo(destination);
            destination = destination[part.Length..];
        }
    }

    // Compares one part, 16 bytes at a time; the last step reaches past it, and what differs there does not count.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    bool Take(ref byte identity, ref int at, Field field)
    {
        var range = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_ranges), (int)field);
        var length = (int)range;
        ref var part = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_text), (int)(range >> 32));
        ref var other = ref Unsafe.Add(ref identity, at);
        at += length;
        while (length > 16)
        {
            if (Vector128.LoadUnsafe(ref part) != Vector128.LoadUnsafe(ref other)) return false;
            part = ref Unsafe.Add(ref part, 16);
            other = ref Unsafe.Add(ref other, 16);
            length -= 16;
        }

        var equal = Vector128.Equals(Vector128.LoadUnsafe(ref part), Vector128.LoadUnsafe(ref other)).ExtractMostSignificantBits();
        return (~equal & ((1u << length) - 1)) == 0;
    }

    // Folded 64x64 multiplications over 16 bytes at a time, as in wyhash (Wang Yi, public domain). The lengths are hashed as well, so
    // that the last step may read bytes a second time.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    ulong Hash(Field field, ulong hash)
    {
        var range = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_ranges), (int)field);
        ref var start = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_text), (int)(range >> 32));
        return HashBytes(ref start, (int)range, hash);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong HashBytes(ref byte start, int length, ulong hash)
    {
        if (length < 8) return Fold(Short(ref start, length) ^ Mix1, hash);
        while (length > 16)
        {
            hash = Fold(Long(ref start) ^ Mix1, Long(ref Unsafe.Add(ref start, 8)) ^ hash);
            start = ref Unsafe.Add(ref start, 16);
            length -= 16;
        }

        // What is left has 1 to 16 bytes; the two words may overlap each other or bytes before.
        return Fold(Long(ref Unsafe.Add(ref start, Math.Min(0, length - 8))) ^ Mix1, Long(ref Unsafe.Add(ref start, length - 8)) ^ hash);
    }

    ulong HashTags()
    {
        var range = _ranges[(int)Field.Tags];
        var length = (int)range;
        ref var start = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_text), (int)(range >> 32));
        var first = (ulong)length ^ Mix1;
        var second = Mix3;
        // Two chains, so that the multiplications of one do not wait for those of the other.
        while (length > 32)
        {
            first = Fold(Long(ref start) ^ Mix1, Long(ref Unsafe.Add(ref start, 8)) ^ first);
            second = Fold(Long(ref Unsafe.Add(ref start, 16)) ^ Mix2, Long(ref Unsafe.Add(ref start, 24)) ^ second);
            start = ref Unsafe.Add(ref start, 32);
            length -= 32;
        }

        return HashBytes(ref start, length, first) ^ second;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Long(ref byte start) => Unsafe.ReadUnaligned<ulong>(ref start);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Short(ref byte start, int length) => length == 0 ? 0 : Unsafe.ReadUnaligned<ulong>(ref start) << (64 - 8 * length);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }
}
