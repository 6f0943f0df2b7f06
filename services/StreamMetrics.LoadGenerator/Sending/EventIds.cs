using System.Buffers.Text;
using System.Globalization;

namespace StreamMetrics.LoadGenerator.Sending;

/// <summary>
/// EventIds that a generator knows as its own, so that after a crash it can tell its events in the topic from those of others, and what each
/// was meant to be. They are UUIDs of version 8 (RFC 9562, section 5.8):
/// <c>mmmmmmmm-mmmm-8kmm-vnnn-nnnnnnnnnnnn</c>: m = mark of the generator (56 bits), k = <see cref="EventKind"/>, v = variant and 2 bits of n,
/// n = a number that no run uses twice, mixed so that ids look random (62 bits).
/// </summary>
sealed class EventIds
{
    const int MarkDigits = 14;
    const int NumberBits = 62;
    const int RunBits = 20;
    const ulong NumberMask = (1UL << NumberBits) - 1;
    const ulong Variant = 0b10UL << NumberBits;

    // Kinds start at the digit after the version's.
    const int KindIndex = 15;

    readonly byte[] _head;
    ulong _next;

    /// <param name="mark">14 hex digits, the same for all runs of a generator.</param>
    /// <param name="runStart">
    /// ms since the epoch. Numbers of a run begin at 2^20 times that, so two runs share one only if the first sent over a million events per ms.
    /// </param>
    public EventIds(string mark, long runStart)
    {
        _head = System.Text.Encoding.ASCII.GetBytes($"{mark[..8]}-{mark[8..12]}-80{mark[12..]}-");
        _next = (ulong)runStart << RunBits;
    }

    /// <summary>A mark for a new generator.</summary>
    public static string NewMark() => Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture)[..MarkDigits];

    /// <summary>Writes the next id, 36 bytes.</summary>
    public void Write(Span<byte> target, EventKind kind)
    {
        _head.CopyTo(target);
        target[KindIndex] = (byte)('0' + (int)kind);
        var number = Variant | Mix(_next++ & NumberMask);
        Span<byte> digits = stackalloc byte[16];
        Utf8Formatter.TryFormat(number, digits, out _, new('x', 16));
        digits[..4].CopyTo(target[19..]);
        target[23] = (byte)'-';
        digits[4..].CopyTo(target[24..]);
    }

    /// <summary>The kind in an id, if the id is of this generator.</summary>
    public bool TryRead(ReadOnlySpan<byte> id, out EventKind kind)
    {
        kind = default;
        if (id.Length != Simulation.SimulatedSeries.EventIdLength) return false;
        if (!id[..KindIndex].SequenceEqual(_head.AsSpan(0, KindIndex)) || !id[(KindIndex + 1)..19].SequenceEqual(_head.AsSpan(KindIndex + 1))) return false;
        kind = (EventKind)(id[KindIndex] - '0');
        return kind is >= EventKind.Valid and <= EventKind.BeyondHorizon;
    }

    // Both steps are bijections of 62-bit numbers: different numbers stay different.
    static ulong Mix(ulong n)
    {
        n = (n * 0x9E3779B97F4A7C15) & NumberMask;
        n ^= n >> 31;
        n = (n * 0xBF58476D1CE4E5B9) & NumberMask;
        return n ^ (n >> 31);
    }
}
