using StreamMetrics.Aggregator.Live;
using StreamMetrics.Contracts;
using Xunit;

namespace StreamMetrics.Aggregator.Tests.Live;

public class InterestTests
{
    [Theory]
    [InlineData("payment", "api.request.duration", "")]
    [InlineData("a", "http/server.x", "0123456789abcdef0123456789abcdef")]
    public void A_member_names_the_series_it_was_made_of(string service, string metric, string hash) =>
        Assert.Equal(new SeriesName(service, metric, hash), SeriesName.Parse(RedisKeys.InterestMember(service, metric, hash)));

    [Theory]
    [InlineData("")]
    [InlineData("payment")]
    [InlineData("payment:")]
    [InlineData(":metric")]
    [InlineData("a:b:")]
    [InlineData("a:b:c:d")]
    public void Anything_else_is_nobodys_interest(string member) => Assert.Null(SeriesName.Parse(member));
}
