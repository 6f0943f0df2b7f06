using System.Numerics;
using System.Runtime.CompilerServices;

namespace StreamMetrics.Contracts.Events;

// What makes the series, as bytes of the message: serviceId, metricType, metricName, unit and tags. Two events with the same bytes there
// have the same identity, so that a table of known bytes spares everything else.
public sealed partial class EventReader
{
    // Odd constants with well mixed bits (the fractions of the square roots of 2, 3 and 5).
    const ulong Mix1 = 0x6A09E667F3BCC909;
    const ulong Mix2 = 0xBB67AE8584CAA73B;
    const ulong Mix3 = 0x3C6EF372FE94F82B;

    /// <summary>Lengths of serviceId, metricType, metricName and unit, 16 bits each.</summary>
    public ulong IdentityLengths =>
        (ulong)(uint)_serviceId.Length | (ulong)(uint)_metricType.Length << 16 | (ulong)(uint)_metricName.Length << 32 | (ulong)(uint)_unit.Length << 48;

    /// <summary>Bytes of the identity: the five parts one behind the other.</summary>
    public int IdentityLength => _serviceId.Length + _metricType.Length + _metricName.Length + _unit.Length + Math.Max(0, _tags.Length);

    /// <summary>A hash of the identity's bytes; the same in every process.</summary>
    public ulong IdentityHash()
    {
        ref var text = ref _text[0];
        var hash = IdentityLengths ^ Mix3;
        hash = HashShort(ref Unsafe.Add(ref text, _serviceId.Start), _serviceId.Length, hash);
        hash = HashShort(ref Unsafe.Add(ref text, _metricType.Start), _metricType.Length, hash);
        hash = HashShort(ref Unsafe.Add(ref text, _metricName.Start), _metricName.Length, hash);
        hash = HashShort(ref Unsafe.Add(ref text, _unit.Start), _unit.Length, hash);
        return HashLong(ref Unsafe.Add(ref text, _tags.Start), Math.Max(0, _tags.Length), hash);
    }

    /// <summary>True when the identity consists of these bytes.</summary>
    /// <param name="identity">Bytes of <see cref="CopyIdentity"/>.</param>
    /// <param name="lengths">The <see cref="IdentityLengths"/> that go with them.</param>
    public bool Matches(ReadOnlySpan<byte> identity, ulong lengths)
    {
        if (lengths != IdentityLengths || identity.Length != IdentityLength) return false;
        var at = 0;
        return Take(identity, _serviceId, ref at) && Take(identity, _metricType, ref at) && Take(identity, _metricName, ref at)
            && Take(identity, _unit, ref at) && (_tags.Length <= 0 || Take(identity, _tags, ref at));
    }

    /// <summary>Copies the identity's bytes.</summary>
    /// <param name="destination">Of <see cref="IdentityLength"/>.</param>
    public void CopyIdentity(Span<byte> destination)
    {
        foreach (var range in (ReadOnlySpan<(int, int)>)[_serviceId, _metricType, _metricName, _unit, _tags])
        {
            var part = Span(range);
            part.CopyTo(destination);
            destination = destination[part.Length..];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    bool Take(ReadOnlySpan<byte> identity, (int Start, int Length) range, ref int at)
    {
        var part = identity.Slice(at, range.Length);
        at += range.Length;
        return part.SequenceEqual(new ReadOnlySpan<byte>(_text, range.Start, range.Length));
    }

    // Folded 64x64 multiplications over 16 bytes at a time, as in wyhash (Wang Yi, public domain). Loads may reach past the part: the
    // buffer goes on, and what does not belong is masked.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong HashShort(ref byte start, int length, ulong hash)
    {
        while (length > 16)
        {
            hash = Fold(Unsafe.ReadUnaligned<ulong>(ref start) ^ Mix1, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 8)) ^ hash);
            start = ref Unsafe.Add(ref start, 16);
            length -= 16;
        }

        return Tail(ref start, length, hash);
    }

    static ulong HashLong(ref byte start, int length, ulong hash)
    {
        var second = hash ^ Mix2;
        while (length > 32)
        {
            hash = Fold(Unsafe.ReadUnaligned<ulong>(ref start) ^ Mix1, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 8)) ^ hash);
            second = Fold(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 16)) ^ Mix3, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 24)) ^ second);
            start = ref Unsafe.Add(ref start, 32);
            length -= 32;
        }

        return HashShort(ref start, length, hash ^ BitOperations.RotateLeft(second, 23));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Tail(ref byte start, int length, ulong hash)
    {
        var low = Unsafe.ReadUnaligned<ulong>(ref start);
        var high = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 8));
        // Of each load the bytes up to length count: a shift by 64 or more would shift by less.
        low = length >= 8 ? low : length == 0 ? 0 : low << (64 - 8 * length);
        high = length >= 16 ? high : length <= 8 ? 0 : high << (128 - 8 * length);
        return Fold(low ^ Mix1 ^ (ulong)length, high ^ hash);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }
}
