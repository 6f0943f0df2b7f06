using FsCheck.Xunit;
using StreamMetrics.Streams.Worker;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

public class BackoffTests
{
    [Property]
    public void Pauses_double_up_to_the_cap_and_jitter_takes_at_most_half(int seed)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(10), new Random(seed));
        for (var failure = 0; failure < 40; failure++)
        {
            var full = Math.Min(50 * Math.Pow(2, failure), 10_000);
            Assert.InRange(backoff.Next().TotalMilliseconds, full / 2, full);
        }
    }

    [Fact]
    public void A_success_starts_over()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(10), new Random(1));
        for (var i = 0; i < 10; i++) backoff.Next();
        backoff.Reset();
        Assert.InRange(backoff.Next().TotalMilliseconds, 25, 50);
    }
}
