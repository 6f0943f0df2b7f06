using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;
using StreamMetrics.Query.Stores;
using StreamMetrics.Query.Tests.Support;
using StreamMetrics.Sketches;

namespace StreamMetrics.Query.Tests;

public sealed class RedisHistoryTests
{
    const long Start = 1_770_465_600_000;

    static readonly HotKey Key = new(Samples.Service, Samples.Metric, "hash");

    static string Member => Json(Samples.Of("1m", Start, [1, 2, 250.5], Samples.Tags(("endpoint", "/a \"b\" ü")), errors: 1) with { Revision = 3 });

    [FsCheck.Xunit.Property(MaxTest = 300)]
    public Property Every_stored_window_is_read_as_the_serialiser_reads_it() => Prop.ForAll(Windows.ToArbitrary(), windows =>
    {
        // One reader for all of them: nothing of one may get into the next.
        var history = new RedisHistory(Key, QueryWindow.OneMinute);
        foreach (var window in windows)
        {
            var json = Json(window);
            var expected = JsonSerializer.Deserialize(json, ContractsJson.Default.Aggregate)!;

            var read = history.Read(json);

            Assert.Equal(expected.Sketch, read.SketchBytes());
            Assert.Equal(expected.Tags, read.Value.Tags);
            Assert.Equal(expected with { Sketch = null, Tags = Samples.NoTags, Revision = null }, read.Value with { Tags = Samples.NoTags });
            Assert.Equal((expected.Revision ?? 1, Key.TagsHash, DataSource.Hot), (read.Revision, read.TagsHash, read.Source));
        }
    });

    [Fact]
    public void The_sketch_is_that_of_the_window()
    {
        var read = new RedisHistory(Key, QueryWindow.OneMinute).Read(Member);
        var sketch = new ExponentialHistogram();

        read.ReadSketch(sketch);

        Assert.Equal(Samples.Sketch([1, 2, 250.5]).ToArray(), sketch.ToArray());
    }

    [Fact]
    public void The_order_of_fields_does_not_matter_nor_do_fields_that_nobody_knows()
    {
        var history = new RedisHistory(Key, QueryWindow.OneMinute);
        var expected = history.Read(Member);
        var fields = JsonNode.Parse(Member)!.AsObject().Reverse().Select(f => KeyValuePair.Create(f.Key, f.Value?.DeepClone()));
        var other = new JsonObject([KeyValuePair.Create<string, JsonNode?>("new", new JsonObject { ["sketch"] = "x" }), .. fields]);

        var read = history.Read(other.ToJsonString());

        Assert.Equal(expected.Value with { Tags = read.Value.Tags }, read.Value);
        Assert.Equal(expected.SketchBytes(), read.SketchBytes());
    }

    [Fact]
    public void An_escaped_sketch_is_read_too()
    {
        var plain = JsonNode.Parse(Member)!["sketch"]!.GetValue<string>();
        var escaped = string.Concat(plain.Select(c => $"\\u{(int)c:x4}"));

        var read = new RedisHistory(Key, QueryWindow.OneMinute).Read(Member.Replace(plain, escaped, StringComparison.Ordinal));

        Assert.Equal(Convert.FromBase64String(plain), read.SketchBytes());
    }

    [Fact]
    public void A_member_that_is_cut_anywhere_is_refused()
    {
        var bytes = Encoding.UTF8.GetBytes(Member);
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<FormatException>(() => new RedisHistory(Key, QueryWindow.OneMinute).Read(bytes[..length]));
        Assert.Throws<FormatException>(() => new RedisHistory(Key, QueryWindow.OneMinute).Read((byte[])[.. bytes, .. "{}"u8]));
    }

    [Theory]
    [InlineData("count", "\"3\"")]
    [InlineData("count", "1.5")]
    [InlineData("count", "null")]
    [InlineData("sum", "{}")]
    [InlineData("tags", "null")]
    [InlineData("tags", "[1]")]
    [InlineData("metricType", "5")]
    [InlineData("exemplar", "{\"traceId\":\"x\"}")]
    [InlineData("sketch", "\"not base64!\"")]
    [InlineData("sketch", "[]")]
    [InlineData("partition", "3000000000")]
    public void A_wrong_field_is_told_with_the_history_that_has_it(string field, string value)
    {
        var member = JsonNode.Parse(Member)!.AsObject();
        member[field] = JsonNode.Parse(value);

        var error = Assert.Throws<FormatException>(() => new RedisHistory(Key, QueryWindow.OneMinute).Read(member.ToJsonString()));

        Assert.Contains(Samples.Metric, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_missing_field_but_those_that_may_be_is_refused()
    {
        string[] free = ["serviceId", "metricName", "window", "kind", "exemplar", "revision", "sketch"];
        foreach (var field in JsonNode.Parse(Member)!.AsObject().Select(f => f.Key))
        {
            var member = JsonNode.Parse(Member)!.AsObject();
            member.Remove(field);
            var error = Record.Exception(() => new RedisHistory(Key, QueryWindow.OneMinute).Read(member.ToJsonString()));
            if (free.Contains(field)) Assert.Null(error);
            else Assert.Contains($"'{field}' is missing", Assert.IsType<FormatException>(error).Message, StringComparison.Ordinal);
        }
    }

    static string Json(Aggregate aggregate) => JsonSerializer.Serialize(aggregate, ContractsJson.Default.Aggregate);

    static FsCheck.Gen<List<Aggregate>> Windows
    {
        get
        {
            var text = ArbMap.Default.GeneratorFor<NonNull<string>>().Select(t => string.Concat(t.Get.EnumerateRunes()));
            var number = ArbMap.Default.GeneratorFor<NormalFloat>().Select(f => f.Get);
            var tags = Gen.OneOf(Gen.Constant(Samples.NoTags), Gen.Constant(Samples.Tags(("endpoint", "/a"))), text.Two().Select(t => Samples.Tags((t.Item1, t.Item2))));
            var window =
                from values in number.NonEmptyListOf()
                from of in tags
                from unit in Gen.OneOf(Gen.Constant("milliseconds"), text)
                from trace in text.Two()
                from exemplar in Gen.Elements(0, 1, 2)
                from revision in Gen.Elements<long?>(null, 1, 7)
                from hasSketch in Gen.Elements(true, true, false)
                let sample = Samples.Of("1m", Start, [.. values], of)
                select sample with
                {
                    Unit = unit, Revision = revision, Sketch = hasSketch ? sample.Sketch : null, Late = values.Count,
                    Exemplar = exemplar == 0 ? null : new(trace.Item1, exemplar == 1 ? null : trace.Item2, sample.Max, sample.Start),
                };
            return window.NonEmptyListOf().Select(w => w.ToList());
        }
    }
}
