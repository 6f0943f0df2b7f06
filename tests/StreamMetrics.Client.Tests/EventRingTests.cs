using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Xunit;

namespace StreamMetrics.Client.Tests;

public sealed class EventRingTests
{
    const int Capacity = 4096;

    /// <summary>Steps: a positive number writes an event of that length, a negative one reads one.</summary>
    [Property(MaxTest = 300)]
    public Property It_gives_back_what_was_written_in_order_and_refuses_only_for_lack_of_room() =>
        Prop.ForAll(Gen.Choose(-300, 300).ListOf(500).ToArbitrary(), steps =>
        {
            var ring = new EventRing(Capacity);
            var expected = new Queue<byte[]>();
            byte next = 1;
            foreach (var step in steps)
            {
                if (step >= 0)
                {
                    var data = Enumerable.Repeat(next++, step).ToArray();
                    if (ring.TryWrite(data)) expected.Enqueue(data);
                    else Assert.True(ring.Used + 2 * (step + 16) > Capacity, "It refused although there is room even after padding.");
                }
                else if (ring.TryPeek(out var data))
                {
                    Assert.Equal(expected.Dequeue(), data.ToArray());
                    ring.Advance();
                }
                else
                {
                    Assert.Empty(expected);
                }
            }

            for (; ring.TryPeek(out var data); ring.Advance()) Assert.Equal(expected.Dequeue(), data.ToArray());
            Assert.Empty(expected);
            Assert.Equal(0, ring.Used);
        });

    [Fact]
    public async Task Many_writers_lose_nothing_and_each_stays_in_order()
    {
        const int Writers = 4;
        const int Each = 50_000;
        var ring = new EventRing(Capacity);
        var writers = Enumerable.Range(0, Writers).Select(w => Task.Run(() => WriteAll(ring, w, Each))).ToArray();
        var next = new int[Writers];
        var seen = 0;
        while (seen < Writers * Each)
        {
            if (!ring.TryPeek(out var data))
            {
                Assert.False(Array.Exists(writers, w => w.IsFaulted), "A writer failed.");
                await Task.Yield();
                continue;
            }

            var (writer, number) = (BinaryPrimitives.ReadInt32LittleEndian(data), BinaryPrimitives.ReadInt32LittleEndian(data[4..]));
            Assert.Equal(next[writer]++, number);
            Assert.Equal(Length(number), data.Length);
            Assert.Equal(-1, data[8..].IndexOfAnyExcept((byte)number));
            ring.Advance();
            seen++;
        }

        await Task.WhenAll(writers);
        Assert.False(ring.TryPeek(out _));
    }

    static void WriteAll(EventRing ring, int writer, int count)
    {
        var buffer = new byte[256];
        for (var number = 0; number < count; number++)
        {
            var data = buffer.AsSpan(0, Length(number));
            data.Fill((byte)number);
            BinaryPrimitives.WriteInt32LittleEndian(data, writer);
            BinaryPrimitives.WriteInt32LittleEndian(data[4..], number);
            while (!ring.TryWrite(data)) Thread.Yield();
        }
    }

    static int Length(int number) => 8 + number % 200;
}
