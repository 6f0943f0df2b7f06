using Microsoft.Extensions.Time.Testing;
using StreamMetrics.Aggregator.Live;
using Xunit;

namespace StreamMetrics.Aggregator.Tests.Live;

public class CallBudgetTests
{
    readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_burst_is_a_tenth_of_a_second_and_a_quarter_of_it_is_kept_for_watched_series()
    {
        var budget = new CallBudget(1_000, _time);
        Assert.Equal(75, TakeAll(budget, watched: false));
        Assert.Equal(25, TakeAll(budget, watched: true));
        Assert.False(budget.TryTake(watched: true));
    }

    [Fact]
    public void Over_a_second_no_more_than_the_limit_is_given()
    {
        var budget = new CallBudget(1_000, _time);
        TakeAll(budget, watched: true);
        var given = 0;
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            given += TakeAll(budget, watched: true);
        }

        Assert.InRange(given, 999, 1_000);
    }

    static int TakeAll(CallBudget budget, bool watched)
    {
        var given = 0;
        while (budget.TryTake(watched)) given++;
        return given;
    }
}
