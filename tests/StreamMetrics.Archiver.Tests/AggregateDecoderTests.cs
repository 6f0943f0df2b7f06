using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck.Xunit;
using StreamMetrics.Archiver.Sink;
using StreamMetrics.Archiver.Tests.Support;
using StreamMetrics.Contracts;
using Xunit;

namespace StreamMetrics.Archiver.Tests;

public sealed class AggregateDecoderTests
{
    static readonly Aggregate Good = Aggregates.Create("s", [1, 2, 3], asOf: 7, tags: new Dictionary<string, string> { ["a"] = "b" });

    [Fact]
    public void An_aggregate_comes_back_as_it_was()
    {
        var decoded = AggregateDecoder.Decode(Topics.Aggregated1m, Bytes(Good), out var reason);
        Assert.Null(reason);
        Assert.Equal(JsonSerializer.Serialize(Good, ContractsJson.Default.Aggregate), JsonSerializer.Serialize(decoded, ContractsJson.Default.Aggregate));
    }

    [Theory]
    [InlineData("window", "\"5m\"", "window is '5m'")]
    [InlineData("window", "null", "must not be null")]
    [InlineData("serviceId", "null", "must not be null")]
    [InlineData("serviceId", "\"a\\u0000\"", "U+0000")]
    [InlineData("kind", "\"provisional\"", "kind is Provisional")]
    [InlineData("start", "1", "start is 1")]
    [InlineData("end", "1", "end is 1")]
    [InlineData("lastTime", "-1", "lastTime is -1")]
    [InlineData("count", "0", "count is 0")]
    [InlineData("count", "4", "the sketch counts 3, count is 4")]
    [InlineData("sketch", "null", "sketch is missing")]
    [InlineData("sketch", "\"AAAA\"", "sketch:")]
    [InlineData("tags", "{\"a\":null}", "a tag is null")]
    [InlineData("tags", "null", "must not be null")]
    [InlineData("sum", "\"x\"", "not an aggregate")]
    [InlineData("unit", "\"\\ud800\"", "not an aggregate")]
    public void A_broken_field_is_named(string field, string json, string expected)
    {
        var node = JsonNode.Parse(Bytes(Good))!.AsObject();
        node[field] = 0;
        var text = node.ToJsonString().Replace($"\"{field}\":0", $"\"{field}\":{json}", StringComparison.Ordinal);
        Assert.Null(AggregateDecoder.Decode(Topics.Aggregated1m, Encoding.UTF8.GetBytes(text), out var reason));
        Assert.Contains(expected, reason, StringComparison.Ordinal);
    }

    [Property(MaxTest = 500)]
    public void Whatever_the_bytes_are_there_is_an_aggregate_or_a_reason(byte[] bytes, int position, byte value)
    {
        Check(bytes);
        var mutated = Bytes(Good);
        mutated[(int)((uint)position % mutated.Length)] = value;
        Check(mutated);

        static void Check(byte[] bytes)
        {
            var aggregate = AggregateDecoder.Decode(Topics.Aggregated1m, bytes, out var reason);
            Assert.True(aggregate is null ? !string.IsNullOrEmpty(reason) : reason is null);
        }
    }

    static byte[] Bytes(Aggregate aggregate) => JsonSerializer.SerializeToUtf8Bytes(aggregate, ContractsJson.Default.Aggregate);
}
