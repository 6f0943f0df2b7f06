using Microsoft.Extensions.Time.Testing;
using StreamMetrics.LoadGenerator.Sending;
using Xunit;

namespace StreamMetrics.LoadGenerator.Tests;

public sealed class PacerTests
{
    readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(nameof(RateVariation.Steady))]
    [InlineData(nameof(RateVariation.Sine))]
    [InlineData(nameof(RateVariation.Bursts))]
    public void The_mean_rate_of_a_period_is_the_one_asked_for(string variation)
    {
        var pacer = Create(1000, Enum.Parse<RateVariation>(variation));
        var perSecond = Enumerable.Range(0, 60).Select(_ => Run(pacer, TimeSpan.FromSeconds(1))).ToList();
        // Bursts are taken at the rate of the tick's end: a tick of 5 ms may be on the wrong side at either edge.
        Assert.InRange(perSecond.Sum(), 60_000 - 60, 60_000 + 60);
        if (variation == nameof(RateVariation.Steady)) Assert.All(perSecond, n => Assert.InRange(n, 999, 1001));
        else Assert.True(perSecond.Max() > 1.4 * perSecond.Min());
    }

    [Fact]
    public void A_new_rate_counts_from_the_next_tick_and_nothing_is_due_while_paused()
    {
        var pacer = Create(100);
        Assert.Equal(100, Run(pacer, TimeSpan.FromSeconds(1)));
        pacer.EventsPerSecond = 5000;
        Assert.Equal(5000, Run(pacer, TimeSpan.FromSeconds(1)));
        pacer.IsPaused = true;
        Assert.Equal(0, Run(pacer, TimeSpan.FromSeconds(10)));
        pacer.IsPaused = false;
        Assert.InRange(Run(pacer, TimeSpan.FromSeconds(1)), 4999, 5000);
        Assert.Equal(0, pacer.Missed);
    }

    [Fact]
    public void Slow_rates_are_kept_as_well()
    {
        var pacer = Create(0.5);
        Assert.InRange(Run(pacer, TimeSpan.FromSeconds(20)), 9, 10);
        Assert.Equal(0, pacer.Missed);
    }

    [Fact]
    public void Who_is_held_up_catches_up_one_second_and_has_missed_the_rest()
    {
        var pacer = Create(1000);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(1000, pacer.Due());
        Assert.Equal(4000, pacer.Missed, 6);
        pacer.Sent(400);
        Assert.Equal(600, pacer.Due());
    }

    int Run(Pacer pacer, TimeSpan span)
    {
        var sent = 0;
        for (var elapsed = TimeSpan.Zero; elapsed < span; elapsed += TimeSpan.FromMilliseconds(5))
        {
            _time.Advance(TimeSpan.FromMilliseconds(5));
            var due = pacer.Due();
            pacer.Sent(due);
            sent += due;
        }

        return sent;
    }

    Pacer Create(double rate, RateVariation variation = RateVariation.Steady) => new(_time, new() { EventsPerSecond = rate, Variation = variation });
}
