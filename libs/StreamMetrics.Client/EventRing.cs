using System.Numerics;
using System.Runtime.CompilerServices;

namespace StreamMetrics.Client;

/// <summary>
/// The bounded queue between the threads that record and the one that sends: a ring of bytes, many writers, one reader, no locks, no
/// allocation. After the many-to-one ring buffer of Agrona: a writer claims its place by moving the tail, copies its event there and
/// publishes it by writing the header; the reader takes published events in order and zeroes what it took, so that an unpublished header is 0.
/// </summary>
/// <remarks>
/// An entry: <c>int32 entryLength | int32 eventLength | event | padding to 8 bytes</c>. A negative entryLength marks the unused rest before the
/// end of the ring. Invariant: 0 ≤ tail − head ≤ capacity; bytes of [head + capacity − free, …) that nobody claimed are zero.
/// </remarks>
sealed class EventRing
{
    const int HeaderLength = 8;
    const int Alignment = 8;

    readonly byte[] _bytes;
    readonly int _mask;
    PaddedPosition _tail;
    PaddedPosition _head;

    /// <param name="capacity">Bytes; rounded up to a power of two.</param>
    public EventRing(int capacity)
    {
        _bytes = new byte[BitOperations.RoundUpToPowerOf2((uint)capacity)];
        _mask = _bytes.Length - 1;
    }

    public int Capacity => _bytes.Length;

    /// <summary>Bytes in use; exact only while nobody writes.</summary>
    public long Used => Volatile.Read(ref _tail.Value) - Volatile.Read(ref _head.Value);

    /// <summary>Any thread: copies an event into the ring.</summary>
    /// <returns>False when there is no room for it.</returns>
    public bool TryWrite(ReadOnlySpan<byte> data)
    {
        var length = (HeaderLength + data.Length + Alignment - 1) & -Alignment;
        long tail;
        int padding;
        do
        {
            tail = Volatile.Read(ref _tail.Value);
            var toEnd = _bytes.Length - (int)(tail & _mask);
            padding = toEnd < length ? toEnd : 0;
            if (tail + padding + length - Volatile.Read(ref _head.Value) > _bytes.Length) return false;
        }
        while (Interlocked.CompareExchange(ref _tail.Value, tail + padding + length, tail) != tail);

        if (padding > 0) Volatile.Write(ref Header(tail), -padding);
        var start = (int)((tail + padding) & _mask);
        Unsafe.As<byte, int>(ref _bytes[start + sizeof(int)]) = data.Length;
        data.CopyTo(_bytes.AsSpan(start + HeaderLength));
        Volatile.Write(ref Header(start), length);
        return true;
    }

    /// <summary>The reader: the oldest event, until <see cref="Advance"/>; false when there is none that is complete.</summary>
    public bool TryPeek(out ReadOnlySpan<byte> data)
    {
        var length = Volatile.Read(ref Header(_head.Value));
        if (length < 0)
        {
            Release(-length);
            length = Volatile.Read(ref Header(_head.Value));
        }

        if (length == 0)
        {
            data = default;
            return false;
        }

        var start = (int)(_head.Value & _mask);
        data = _bytes.AsSpan(start + HeaderLength, Unsafe.As<byte, int>(ref _bytes[start + sizeof(int)]));
        return true;
    }

    /// <summary>The reader: drops the event that <see cref="TryPeek"/> gave.</summary>
    public void Advance() => Release(Header(_head.Value));

    void Release(int length)
    {
        _bytes.AsSpan((int)(_head.Value & _mask), length).Clear();
        Volatile.Write(ref _head.Value, _head.Value + length);
    }

    ref int Header(long position) => ref Unsafe.As<byte, int>(ref _bytes[(int)(position & _mask)]);

    // Writers and the reader each have a cache line of their own.
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit, Size = 192)]
    struct PaddedPosition
    {
        [System.Runtime.InteropServices.FieldOffset(64)]
        public long Value;
    }
}
