using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;

namespace StreamMetrics.Contracts.Events;

// First pass: copies the message, finds its quotes.
public sealed partial class EventReader
{
    const int Block = 64;

    // What stands behind the message: no space, no structural character, so that every loop ends there; and room enough for a string
    // that never ends (its closing quote is taken to be at length + Block) and for loads of a whole block behind that.
    const byte Filler = 0x7F;
    const int Padding = 4 * Block;

    // Quotes noted at once per block whether they are there or not: most blocks have fewer, so the branch behind them is foreseen.
    const int QuotesPerStep = 12;

    readonly byte[] _text = GC.AllocateUninitializedArray<byte>(EventLimits.MaxMessageBytes + Padding, pinned: true);
    readonly int[] _quotes = new int[EventLimits.MaxMessageBytes + Block + QuotesPerStep];

    // True when the message has backslashes or control characters: then every string is looked at closely.
    bool _special;

    bool Index(ReadOnlySpan<byte> json, [NotNullWhen(false)] out EventError? error)
    {
        _length = json.Length;
        ref var source = ref MemoryMarshal.GetReference(json);
        ref var text = ref MemoryMarshal.GetArrayDataReference(_text);
        ref var quotes = ref MemoryMarshal.GetArrayDataReference(_quotes);
        var escapes = Vector256<byte>.Zero;
        var controls = Vector256<byte>.Zero;
        var all = Vector256<byte>.Zero;
        var count = 0;
        var whole = json.Length & ~(Block - 1);
        json[whole..].CopyTo(_text.AsSpan(whole));
        _text.AsSpan(json.Length, Padding).Fill(Filler);
        for (var start = 0; start < json.Length; start += Block)
        {
            ref var from = ref start < whole ? ref Unsafe.Add(ref source, start) : ref Unsafe.Add(ref text, start);
            var low = Vector256.LoadUnsafe(ref from);
            var high = Vector256.LoadUnsafe(ref from, 32);
            low.StoreUnsafe(ref text, (nuint)start);
            high.StoreUnsafe(ref text, (nuint)start + 32);
            escapes |= Vector256.Equals(low, Vector256.Create((byte)'\\')) | Vector256.Equals(high, Vector256.Create((byte)'\\'));
            controls |= Vector256.LessThan(low, Vector256.Create((byte)' ')) | Vector256.LessThan(high, Vector256.Create((byte)' '));
            all |= low | high;
            var mask = Vector256.Equals(low, Vector256.Create((byte)'"')).ExtractMostSignificantBits()
                | (ulong)Vector256.Equals(high, Vector256.Create((byte)'"')).ExtractMostSignificantBits() << 32;
            NoteQuotes(mask, start, ref Unsafe.Add(ref quotes, count));
            count += BitOperations.PopCount(mask);
        }

        _special = escapes != Vector256<byte>.Zero || controls != Vector256<byte>.Zero;
        if (escapes != Vector256<byte>.Zero) count = IndexEscaped();
        _quotes[count] = _quotes[count + 1] = json.Length + Block;
        error = null;
        if (all.ExtractMostSignificantBits() == 0 || Utf8.IsValid(json)) return true;
        error = new(ReasonCodes.MalformedJson, "", "", "The message is not valid UTF-8.");
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void NoteQuotes(ulong mask, int start, ref int quotes)
    {
        var rest = mask;
        for (var i = 0; i < QuotesPerStep; i++)
        {
            Unsafe.Add(ref quotes, i) = start + BitOperations.TrailingZeroCount(rest);
            rest &= rest - 1;
        }

        for (var i = QuotesPerStep; rest != 0; i++)
        {
            Unsafe.Add(ref quotes, i) = start + BitOperations.TrailingZeroCount(rest);
            rest &= rest - 1;
        }
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
