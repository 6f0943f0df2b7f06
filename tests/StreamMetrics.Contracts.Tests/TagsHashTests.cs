using Xunit;

namespace StreamMetrics.Contracts.Tests;

public class TagsHashTests
{
    // Worked out with another program: SHA-256 over length-prefixed keys and values, keys sorted.
    [Theory]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb924")]
    [InlineData("e2f4d2678624cd6a77821e5fff522b9b", "endpoint=/api/v1/payments")]
    [InlineData("58132dcee2ae6e3ee4bbf1ea2459f8ad", "statusCode=200", "region=us-east-1", "method=POST", "endpoint=/api/v1/payments")]
    [InlineData("f0f69bd06525c12eeee3cdd82834e87a", "ä=ß€😀", "a=")]
    public void Golden_values(string expected, params string[] tags)
    {
        var dictionary = tags.Select(t => t.Split('=')).ToDictionary(t => t[0], t => t[1]);
        Assert.Equal(expected, TagsHash.Compute(dictionary));
    }

    [Fact]
    public void Moving_a_character_from_key_to_value_changes_the_hash() =>
        Assert.NotEqual(TagsHash.Compute(new Dictionary<string, string> { ["ab"] = "c" }), TagsHash.Compute(new Dictionary<string, string> { ["a"] = "bc" }));
}
