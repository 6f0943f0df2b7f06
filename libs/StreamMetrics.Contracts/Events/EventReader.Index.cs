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
        var (count, isUsual) = Avx512Vbmi2.IsSupported ? Index512(json) : Index256(json);
        _special = !isUsual && (json.Contains((byte)'\\') || json.ContainsAnyInRange((byte)0, (byte)0x1F));
        if (_special) count = IndexEscaped();
        _quotes[count] = _quotes[count + 1] = json.Length + Block;
        error = null;
        if (isUsual || Utf8.IsValid(json)) return true;
        error = new(ReasonCodes.MalformedJson, "", "", "The message is not valid UTF-8.");
        return false;
    }

    // Usual is a message that has neither backslashes nor control characters nor characters beyond ASCII. The positions of a block's
    // quotes are squeezed out of 0, 1, 2 … 63 by one instruction. No vector lives across the loop: none would stay in its register.
    (int Count, bool IsUsual) Index512(ReadOnlySpan<byte> json)
    {
        ref var text = ref MemoryMarshal.GetArrayDataReference(_text);
        ref var quotes = ref MemoryMarshal.GetArrayDataReference(_quotes);
        var unusual = 0ul;
        var count = 0;
        CopyEnd(json);
        ref var from = ref MemoryMarshal.GetReference(json);
        var whole = json.Length & ~(Block - 1);
        for (var start = 0; start < json.Length; start += Block)
        {
            if (start == whole) from = ref text;
            var bytes = Vector512.LoadUnsafe(ref from, (nuint)start);
            bytes.StoreUnsafe(ref text, (nuint)start);
            // As signed numbers, bytes beyond ASCII are negative.
            unusual |= (Vector512.Equals(bytes, Vector512.Create((byte)'\\')) | Vector512.LessThan(bytes.AsSByte(), Vector512.Create((sbyte)' ')).AsByte()).ExtractMostSignificantBits();
            var isQuote = Vector512.Equals(bytes, Vector512.Create((byte)'"'));
            var found = Avx512Vbmi2.Compress(Vector512<byte>.Zero, isQuote, Vector512<byte>.Indices);
            var inBlock = BitOperations.PopCount(isQuote.ExtractMostSignificantBits());
            ref var next = ref Unsafe.Add(ref quotes, count);
            (Avx512F.ConvertToVector512Int32(found.GetLower().GetLower()) + Vector512.Create(start)).StoreUnsafe(ref next);
            if (inBlock > QuotesPerStep) NoteManyQuotes(found, inBlock, start, ref next);
            count += inBlock;
        }

        return (count, unusual == 0);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void NoteManyQuotes(Vector512<byte> found, int count, int start, ref int quotes)
    {
        for (var i = QuotesPerStep; i < count; i++) Unsafe.Add(ref quotes, i) = start + found[i];
    }

    (int Count, bool IsUsual) Index256(ReadOnlySpan<byte> json)
    {
        ref var text = ref MemoryMarshal.GetArrayDataReference(_text);
        ref var quotes = ref MemoryMarshal.GetArrayDataReference(_quotes);
        var unusual = 0u;
        var count = 0;
        CopyEnd(json);
        ref var from = ref MemoryMarshal.GetReference(json);
        var half = Vector256<byte>.Count;
        var whole = json.Length & ~(half - 1);
        for (var start = 0; start < json.Length; start += half)
        {
            if (start == whole) from = ref text;
            var bytes = Vector256.LoadUnsafe(ref from, (nuint)start);
            bytes.StoreUnsafe(ref text, (nuint)start);
            unusual |= (Vector256.Equals(bytes, Vector256.Create((byte)'\\')) | Vector256.LessThan(bytes.AsSByte(), Vector256.Create((sbyte)' ')).AsByte()).ExtractMostSignificantBits();
            var mask = Vector256.Equals(bytes, Vector256.Create((byte)'"')).ExtractMostSignificantBits();
            for (; mask != 0; mask &= mask - 1) Unsafe.Add(ref quotes, count++) = start + BitOperations.TrailingZeroCount(mask);
        }

        return (count, unusual == 0);
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
