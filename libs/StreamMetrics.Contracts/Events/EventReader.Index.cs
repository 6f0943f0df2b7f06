using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text.Unicode;

namespace StreamMetrics.Contracts.Events;

// First pass: copies the message, finds its quotes. The idea of two passes is that of simdjson (Langdale, Lemire: "Parsing Gigabytes of
// JSON per Second", 2019); events have few values, so quotes alone are worth noting.
public sealed partial class EventReader
{
    const int Block = 64;

    // What stands behind the message: no space, no structural character, so that every loop ends there; and room enough for a string
    // that never ends (its closing quote is taken to be at length + Block) and for loads of a whole block behind that.
    const byte Filler = 0x7F;
    const int Padding = 4 * Block;

    // Quotes that are noted at once, whether they are there or not: most blocks have fewer.
    const int QuotesPerStep = 16;

    readonly byte[] _text = GC.AllocateUninitializedArray<byte>(EventLimits.MaxMessageBytes + Padding, pinned: true);
    readonly int[] _quotes = GC.AllocateUninitializedArray<int>(EventLimits.MaxMessageBytes + 2 * Block, pinned: true);

    // True when the message has backslashes or control characters: then every string is looked at closely.
    bool _special;

    bool Index(ReadOnlySpan<byte> json, [NotNullWhen(false)] out EventError? error)
    {
        _length = json.Length;
        var (count, hasEscapes, isAscii) = Avx512Vbmi2.IsSupported ? Index512(json) : Index256(json);
        if (hasEscapes) count = IndexEscaped();
        _quotes[count] = _quotes[count + 1] = json.Length + Block;
        error = null;
        if (isAscii || Utf8.IsValid(json)) return true;
        error = new(ReasonCodes.MalformedJson, "", "", "The message is not valid UTF-8.");
        return false;
    }

    // The positions of a block's quotes are squeezed out of 0, 1, 2 … 63 by one instruction.
    (int Count, bool HasEscapes, bool IsAscii) Index512(ReadOnlySpan<byte> json)
    {
        ref var text = ref MemoryMarshal.GetArrayDataReference(_text);
        ref var quotes = ref MemoryMarshal.GetArrayDataReference(_quotes);
        var positions = Vector512<byte>.Indices;
        var escapes = Vector512<byte>.Zero;
        var all = Vector512<byte>.Zero;
        var lowest = Vector512<byte>.AllBitsSet;
        var count = 0;
        CopyEnd(json);
        ref var from = ref MemoryMarshal.GetReference(json);
        var whole = json.Length & ~(Block - 1);
        for (var start = 0; start < json.Length; start += Block)
        {
            if (start == whole) from = ref text;
            var bytes = Vector512.LoadUnsafe(ref from, (nuint)start);
            bytes.StoreUnsafe(ref text, (nuint)start);
            escapes |= Vector512.Equals(bytes, Vector512.Create((byte)'\\'));
            lowest = Vector512.Min(lowest, bytes);
            all |= bytes;
            var isQuote = Vector512.Equals(bytes, Vector512.Create((byte)'"'));
            var found = Avx512Vbmi2.Compress(Vector512<byte>.Zero, isQuote, positions);
            var inBlock = BitOperations.PopCount(isQuote.ExtractMostSignificantBits());
            var offset = Vector512.Create(start);
            (Avx512F.ConvertToVector512Int32(found.GetLower().GetLower()) + offset).StoreUnsafe(ref quotes, (nuint)count);
            if (inBlock > QuotesPerStep) NoteManyQuotes(found, inBlock, start, ref Unsafe.Add(ref quotes, count));
            count += inBlock;
        }

        _special = escapes != Vector512<byte>.Zero || Vector512.LessThanAny(lowest, Vector512.Create((byte)' '));
        return (count, escapes != Vector512<byte>.Zero, all.ExtractMostSignificantBits() == 0);
    }

    static void NoteManyQuotes(Vector512<byte> found, int count, int start, ref int quotes)
    {
        for (var i = QuotesPerStep; i < count; i++) Unsafe.Add(ref quotes, i) = start + found[i];
    }

    (int Count, bool HasEscapes, bool IsAscii) Index256(ReadOnlySpan<byte> json)
    {
        ref var text = ref MemoryMarshal.GetArrayDataReference(_text);
        ref var quotes = ref MemoryMarshal.GetArrayDataReference(_quotes);
        var escapes = Vector256<byte>.Zero;
        var all = Vector256<byte>.Zero;
        var lowest = Vector256<byte>.AllBitsSet;
        var count = 0;
        CopyEnd(json);
        ref var from = ref MemoryMarshal.GetReference(json);
        var whole = json.Length & ~(Block - 1);
        for (var start = 0; start < json.Length; start += Block)
        {
            if (start == whole) from = ref text;
            var low = Vector256.LoadUnsafe(ref from, (nuint)start);
            var high = Vector256.LoadUnsafe(ref from, (nuint)start + 32);
            low.StoreUnsafe(ref text, (nuint)start);
            high.StoreUnsafe(ref text, (nuint)start + 32);
            escapes |= Vector256.Equals(low, Vector256.Create((byte)'\\')) | Vector256.Equals(high, Vector256.Create((byte)'\\'));
            lowest = Vector256.Min(lowest, Vector256.Min(low, high));
            all |= low | high;
            var mask = Vector256.Equals(low, Vector256.Create((byte)'"')).ExtractMostSignificantBits()
                | (ulong)Vector256.Equals(high, Vector256.Create((byte)'"')).ExtractMostSignificantBits() << 32;
            for (; mask != 0; mask &= mask - 1) Unsafe.Add(ref quotes, count++) = start + BitOperations.TrailingZeroCount(mask);
        }

        _special = escapes != Vector256<byte>.Zero || Vector256.LessThanAny(lowest, Vector256.Create((byte)' '));
        return (count, escapes != Vector256<byte>.Zero, all.ExtractMostSignificantBits() == 0);
    }

    // What does not fill a block, and what stands behind the message.
    void CopyEnd(ReadOnlySpan<byte> json)
    {
        var whole = json.Length & ~(Block - 1);
        json[whole..].CopyTo(_text.AsSpan(whole));
        _text.AsSpan(json.Length, Padding).Fill(Filler);
    }

    // With backslashes in it the quotes are found one by one: one behind a backslash ends no string.
    int IndexEscaped()
    {
        var count = 0;
        for (var i = 0; i < _length; i++)
        {
            if (_text[i] == '\\') i++;
            else if (_text[i] == '"') _quotes[count++] = i;
        }

        return count;
    }
}
