using System.Buffers;
using FsCheck.Xunit;
using Xunit;

namespace StreamMetrics.Sketches.Tests;

public class EncodingTests
{
    [Property(MaxTest = 300)]
    public void The_binary_form_reads_back_as_the_same_sketch(int seed)
    {
        var sketch = Values.Sketch(Values.Any(seed));
        var copy = ExponentialHistogram.Read(sketch.ToArray());
        Assert.Equal(sketch.ToArray(), copy.ToArray());
        Assert.Equal(sketch.Count, copy.Count);
        Assert.Equal(sketch.Quantile(0.9), copy.Quantile(0.9));
        copy.MergeFrom(sketch);
        Assert.Equal(2 * sketch.Count, copy.Count);
    }

    [Fact]
    public void The_binary_form_is_what_the_document_says()
    {
        Assert.Equal("0100", Convert.ToHexString(new ExponentialHistogram().ToArray()));
        // version, flags (values + positive), scale 6, no zeros, min 1, max 2, buckets from -1 to -1 + 64: two values, gap of 63, one value
        Assert.Equal("0105" + "0C" + "00" + "000000000000F03F" + "0000000000000040" + "01" + "40" + "04" + "7F" + "02",
            Convert.ToHexString(Values.Sketch(1, 1, 2).ToArray()));
    }

    [Fact]
    public void A_thousand_log_normal_values_take_less_than_700_bytes()
    {
        for (var seed = 0; seed < 20; seed++) Assert.InRange(Values.Sketch(Values.Of("log-normal", seed, 1000)).ToArray().Length, 250, 700);
    }

    [Fact]
    public void Mutated_and_cut_bytes_are_read_or_refused_with_a_format_exception()
    {
        var random = new Random(11);
        var refused = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = Values.Sketch(Values.Any(round % 50)).ToArray();
            for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(Math.Min(bytes.Length, 40))] = (byte)random.Next(256);
            if (random.Next(4) == 0) bytes = bytes[..random.Next(bytes.Length)];
            try
            {
                var sketch = ExponentialHistogram.Read(bytes);
                // What is read is a sketch in every respect, and written back as it was.
                Assert.Equal(bytes, sketch.ToArray());
                sketch.MergeFrom(Values.Sketch(-1, 0, 1));
                Assert.InRange(sketch.Quantile(0.5), sketch.Min, sketch.Max);
            }
            catch (FormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 19_999);
    }

    [Fact]
    public void A_failed_read_leaves_an_empty_sketch()
    {
        var sketch = Values.Sketch(1, 2, 3);
        Assert.Throws<FormatException>(() => sketch.ReadFrom(sketch.ToArray().AsSpan()[..^1]));
        Assert.Equal(0, sketch.Count);
        sketch.ReadFrom(Values.Sketch(4).ToArray());
        Assert.Equal(4, sketch.Max);
    }

    [Property(MaxTest = 200)]
    public void Otlp_goes_both_ways_without_loss(int seed)
    {
        var values = Values.Any(seed);
        var sketch = Values.Sketch(values);
        var message = new ArrayBufferWriter<byte>();
        OtlpEncoding.Write(sketch, 123.25, 1, 2, message);
        var copy = OtlpEncoding.Read(message.WrittenSpan, out var sum);
        Assert.Equal(123.25, sum);
        Assert.Equal(sketch.ToArray(), copy.ToArray());
    }

    [Fact]
    public void Otlp_bytes_are_those_of_the_protobuf_message()
    {
        var message = new ArrayBufferWriter<byte>();
        OtlpEncoding.Write(Values.Sketch(1, 1, 2, -4, 0), 0, 5, 6, message);
        var expected = "11" + "0500000000000000" + "19" + "0600000000000000" // start, time
            + "21" + "0500000000000000" + "29" + "0000000000000000" + "300C" + "39" + "0100000000000000" // count, sum, scale 6, zeros
            + "4245" + "0801" + "1241" + "02" + string.Concat(Enumerable.Repeat("00", 63)) + "01" // positive from -1: 2, 63 times 0, 1
            + "4A06" + "08FE01" + "1201" + "01" // negative from 127
            + "61" + "00000000000010C0" + "69" + "0000000000000040"; // min, max
        Assert.Equal(expected, Convert.ToHexString(message.WrittenSpan));
    }

    [Fact]
    public void An_otlp_point_of_a_finer_scale_is_read_at_scale_6()
    {
        // scale 8, positive offset 3, counts 1, 2, 3: buckets 3, 4, 5 of scale 8 are 0, 1, 1 of scale 6
        var point = Convert.FromHexString("21" + "0600000000000000" + "3010" + "4207" + "0806" + "1203" + "010203");
        var sketch = OtlpEncoding.Read(point, out var sum);
        Assert.Null(sum);
        Assert.Equal(6, sketch.Scale);
        Assert.Equal(6, sketch.Count);
        var positive = new List<(int, ulong)>();
        foreach (var bucket in sketch.Positive) positive.Add(bucket);
        Assert.Equal([(0, 1ul), (1, 5ul)], positive);
    }

    [Theory]
    [InlineData("21" + "0700000000000000" + "3010" + "4207" + "0806" + "1203" + "010203", "count is 7")]
    [InlineData("4207" + "0806", "does not fit")]
    [InlineData("3090FFFFFFFFFFFFFFFF01", "out of range")]
    [InlineData("07", "wire type 7")]
    public void Bad_otlp_bytes_are_refused(string hex, string message)
    {
        var error = Assert.Throws<FormatException>(() => OtlpEncoding.Read(Convert.FromHexString(hex), out _));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Property(MaxTest = 200)]
    public void Prometheus_keeps_buckets_count_and_sum(int seed)
    {
        var values = Values.Any(seed);
        var sketch = Values.Sketch(values);
        var histogram = PrometheusHistogram.From(sketch, values.Sum());
        var copy = histogram.ToSketch();
        Assert.Equal(sketch.Count, copy.Count);
        Assert.Equal(sketch.ZeroCount, copy.ZeroCount);
        var again = PrometheusHistogram.From(copy, histogram.Sum);
        Assert.Equal(histogram.Sum, again.Sum);
        Assert.Equal(histogram.Schema, values.Length == 0 ? histogram.Schema : again.Schema);
        Assert.Equal(histogram.PositiveSpans, again.PositiveSpans);
        Assert.Equal(histogram.PositiveDeltas, again.PositiveDeltas);
        Assert.Equal(histogram.NegativeSpans, again.NegativeSpans);
        Assert.Equal(histogram.NegativeDeltas, again.NegativeDeltas);
    }

    [Fact]
    public void Prometheus_buckets_include_their_upper_bound()
    {
        var histogram = PrometheusHistogram.From(Values.Sketch(1, 1, 2, 2.01, 2.02), 8.03);
        Assert.Equal(6, histogram.Schema);
        Assert.Equal([new(0, 1), new(63, 2)], histogram.PositiveSpans); // 1 = upper bound of bucket 0, 2 of bucket 64
        Assert.Equal([2, -1, 1], histogram.PositiveDeltas);
        Assert.Empty(histogram.NegativeSpans);
    }
}
