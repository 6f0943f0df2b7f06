using StreamMetrics.Contracts;
using Xunit;

namespace StreamMetrics.Streams.Tests.Engine;

public class CardinalityTests
{
    const long Start = TestLog.Start;

    [Fact]
    public void Above_the_limit_of_a_service_events_go_to_its_overflow_series_and_the_total_stays_exact()
    {
        var driver = new EngineDriver(new() { MaxSeriesPerService = 10 });
        for (var i = 0; i < 500; i++) driver.Feed(Tagged(i), Start);
        driver.Feed(Tagged(1) with { ServiceId = "other" }, Start);
        driver.Engine.MoveClock(Start + 65_000);
        driver.Commit();

        var ours = driver.Parsed.Where(a => a.ServiceId == "payment-service").ToList();
        Assert.Equal(12, ours.Count);
        Assert.Equal(500, ours.Single(a => a.Scope == AggregateScope.Total).Count);
        Assert.Equal(490, ours.Single(a => a.Tags.GetValueOrDefault("otel.metric.overflow") == "true").Count);
        Assert.Equal("1", driver.Parsed.Single(a => a.ServiceId == "other" && a.Scope == AggregateScope.Series).Tags["user"]);
        Assert.Equal(490, driver.Engine.Statistics.Overflowed);
    }

    [Fact]
    public void What_was_folded_is_counted_and_the_guilty_tag_is_named()
    {
        var driver = new EngineDriver(new() { MaxSeriesPerService = 100 });
        for (var i = 0; i < 8192 + 100; i++) driver.Feed(Tagged(i), Start);
        var service = driver.Engine.Statistics.Services.Single();
        Assert.Equal((8192, 101), (service.Overflowed, service.Series));
        Assert.InRange(service.OverflowedSeries, 8192 * 0.87, 8192 * 1.13); // four standard errors
        Assert.Equal(("user", 100), (service.LargestTags[0].Key, service.LargestTags[0].Values));
    }

    [Fact]
    public void The_limit_of_the_partition_holds_over_services_and_hostile_names_are_bounded()
    {
        var driver = new EngineDriver(new() { MaxSeriesPerPartition = 20, MaxSeriesPerService = 5 });
        for (var i = 0; i < 300; i++) driver.Feed(Tagged(i) with { ServiceId = $"service-{i}" }, Start);
        for (var i = 0; i < 300; i++) driver.Feed(Tagged(i) with { ServiceId = "service-1", MetricName = $"metric.{i}" }, Start);
        var statistics = driver.Engine.Statistics;
        Assert.Equal(600, statistics.Accepted);
        Assert.InRange(statistics.Series, 20, 45);
        Assert.InRange(statistics.Totals, 20, 25);
        driver.Engine.MoveClock(Start + 65_000);
        driver.Commit();
        Assert.Equal(600, driver.Parsed.Where(a => a.Scope == AggregateScope.Total).Sum(a => a.Count));
        Assert.Equal(600, driver.Parsed.Where(a => a.Scope == AggregateScope.Series).Sum(a => a.Count));
    }

    [Fact]
    public void Forgotten_series_make_room_and_overflow_survives_a_restore()
    {
        var driver = new EngineDriver(new() { MaxSeriesPerService = 3 });
        for (var i = 0; i < 5; i++) driver.Feed(Tagged(i), Start);
        driver.Commit();
        driver.Crash();
        driver.Feed(Tagged(9), Start);
        Assert.Equal(4, driver.Engine.Statistics.Series);
        // All windows are final an hour later, so the old series are gone.
        var later = Start + 3_600_000;
        driver.Clock(later);
        for (var i = 10; i < 13; i++) driver.Feed(Tagged(i) with { Time = later }, later);
        Assert.Equal(3, driver.Engine.Statistics.Series);
        driver.Commit();
        Assert.Equal(3, driver.Parsed.Where(a => a.Scope == AggregateScope.Series && a.Window == "1m" && a.Tags.ContainsKey("otel.metric.overflow")).Sum(a => a.Count));
        driver.Crash();
        Assert.NotNull(driver.Engine.Find("payment-service", "api.request.duration", TagsHash.Compute(new Dictionary<string, string> { ["user"] = "10", ["region"] = "eu" })));
        Assert.Null(driver.Engine.Find("payment-service", "api.request.duration", TagsHash.Compute(new Dictionary<string, string> { ["user"] = "1", ["region"] = "eu" })));
    }

    [Fact]
    public void A_metric_may_be_grouped_by_some_tags_and_by_the_class_of_its_status()
    {
        var options = new EngineOptions();
        options.GroupBy["api.request.duration"] = ["region", "statusClass"];
        var driver = new EngineDriver(options);
        for (var i = 0; i < 100; i++)
        {
            var tags = new Dictionary<string, string> { ["user"] = $"{i}", ["region"] = "eu", ["statusCode"] = i % 4 == 0 ? "503" : "204" };
            driver.Feed(new(Start, 1) { Tags = tags }, Start);
        }

        driver.Engine.MoveClock(Start + 65_000);
        driver.Commit();
        var series = driver.Parsed.Where(a => a.Scope == AggregateScope.Series).ToDictionary(a => a.Tags["statusClass"]);
        Assert.Equal(["2xx", "5xx"], series.Keys.Order());
        Assert.Equal((25, 25, 2), (series["5xx"].Count, series["5xx"].Errors, series["5xx"].Tags.Count));
    }

    [Fact]
    public void Type_and_unit_are_those_of_the_first_event_whatever_the_engine_remembers()
    {
        var driver = new EngineDriver();
        driver.Feed(new(Start, 1) { Unit = "ms", MetricType = "TIMER" }, Start);
        driver.Feed(new(Start, 1) { Unit = "s", MetricType = "GAUGE" }, Start);
        driver.Commit();
        driver.Crash();
        driver.Feed(new(Start, 1) { Unit = "h", MetricType = "GAUGE" }, Start);
        driver.Engine.MoveClock(Start + 65_000);
        driver.Commit();
        Assert.All(driver.Parsed, a => Assert.Equal(("ms", "TIMER", 3), (a.Unit, a.MetricType, a.Count)));
    }

    static TestEvent Tagged(int user) => new(Start, 1) { Tags = new Dictionary<string, string> { ["user"] = $"{user}", ["region"] = "eu" } };
}
