using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamMetrics.Contracts.Events;

/// <summary>Checks the text form of a UUID (RFC 9562): 8-4-4-4-12 hexadecimal digits of either case, any version.</summary>
static class Uuid
{
    public const int Length = 36;

    // Positions 8, 13, 18 and 23 of the first 32 characters; 3 of the last 16.
    const uint Dashes = 1u << 8 | 1u << 13 | 1u << 18 | 1u << 23;
    const uint LastDashes = 1u << 3;
    const int LastStart = 20;

    /// <summary>Checks 36 characters from <paramref name="text"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsValid(ref byte text)
    {
        var first = Vector256.LoadUnsafe(ref text);
        var last = Vector128.LoadUnsafe(ref text, LastStart);
        var lower = first | Vector256.Create((byte)0x20);
        var hex = Vector256.LessThan(first - Vector256.Create((byte)'0'), Vector256.Create((byte)10))
            | Vector256.LessThan(lower - Vector256.Create((byte)'a'), Vector256.Create((byte)6));
        var lastLower = last | Vector128.Create((byte)0x20);
        var lastHex = Vector128.LessThan(last - Vector128.Create((byte)'0'), Vector128.Create((byte)10))
            | Vector128.LessThan(lastLower - Vector128.Create((byte)'a'), Vector128.Create((byte)6));
        var dashes = Vector256.Equals(first, Vector256.Create((byte)'-')).ExtractMostSignificantBits();
        return hex.ExtractMostSignificantBits() == ~Dashes && (dashes & Dashes) == Dashes
            && (lastHex.ExtractMostSignificantBits() | LastDashes) == 0xFFFF;
    }
}
