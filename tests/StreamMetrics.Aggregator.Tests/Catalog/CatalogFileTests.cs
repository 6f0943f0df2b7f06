using System.Text;
using StreamMetrics.Aggregator.Catalog;
using Xunit;

namespace StreamMetrics.Aggregator.Tests.Catalog;

public class CatalogFileTests
{
    [Fact]
    public void Services_are_found_by_the_bytes_of_their_ids()
    {
        var catalog = CatalogSnapshot.Parse("\uFEFF// ours\n{\"shöp\": {\"team\": \"payments\", \"tier\": \"1\",}, \"empty\": {}}"u8.ToArray());

        Assert.Equal("""{"team":"payments","tier":"1"}""", Encoding.UTF8.GetString(catalog.Find("shöp"u8)!));
        Assert.Equal("{}"u8.ToArray(), catalog.Find("empty"u8));
        Assert.Null(catalog.Find("other"u8));
    }

    [Theory]
    [InlineData("[]", "the file must hold an object")]
    [InlineData("{", "not JSON: ")]
    [InlineData("""{"a": 1}""", "'a' must be an object of texts")]
    [InlineData("""{"a": {"team": 1}}""", "'a.team' must be a text of at most 256 characters")]
    [InlineData("""{"a": {"": "x"}}""", "an attribute's name in 'a' must have 1 to 64 characters")]
    [InlineData("""{"": {}}""", "the serviceId '' must have 1 to 100 characters")]
    [InlineData("""{"a": {"t": "1", "t": "2"}}""", "'a.t' is there twice")]
    [InlineData("""{"a": {}, "a": {}}""", "'a' is there twice")]
    public void A_broken_rule_is_named(string json, string message) =>
        Assert.StartsWith(message, Assert.Throws<FormatException>(() => CatalogSnapshot.Parse(Encoding.UTF8.GetBytes(json))).Message, StringComparison.Ordinal);

    [Fact]
    public void Too_many_attributes_are_refused()
    {
        var attributes = string.Join(',', Enumerable.Range(0, 17).Select(i => $"\"k{i}\": \"\""));
        var error = Assert.Throws<FormatException>(() => CatalogSnapshot.Parse(Encoding.UTF8.GetBytes($"{{\"a\": {{{attributes}}}}}")));
        Assert.Equal("'a' has 17 attributes; at most 16 are allowed", error.Message);
    }
}
