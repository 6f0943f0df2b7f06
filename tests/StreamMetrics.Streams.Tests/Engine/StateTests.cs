using StreamMetrics.Contracts;
using Xunit;

namespace StreamMetrics.Streams.Tests.Engine;

public class StateTests
{
    const long Start = TestLog.Start;

    [Fact]
    public void An_empty_state_starts_at_the_beginning()
    {
        var driver = new EngineDriver();
        Assert.Equal(new RestoreResult(false, 0, 0, 0), driver.Crash());
        driver.Feed(new(Start, 1), Start);
        Assert.Throws<InvalidOperationException>(() => driver.Engine.Restore("x"u8, "y"u8));
        Assert.Throws<InvalidOperationException>(() => driver.Engine.CompleteRestore());
    }

    [Fact]
    public void A_commit_writes_only_what_changed()
    {
        var driver = new EngineDriver();
        for (var i = 0; i < 64; i++) driver.Feed(Tagged(i, Start), Start);
        driver.Commit();
        var first = driver.StateRecords;
        driver.Feed(Tagged(3, Start), Start);
        driver.Commit();
        // The block of the series, the block of the total (the same one or another), meta.
        Assert.InRange(driver.StateRecords - first, 2, 3);
        driver.Clock(Start + 1);
        driver.Commit();
        Assert.InRange(driver.StateRecords - first, 3, 4);
    }

    [Fact]
    public void Emitted_corrections_and_forgotten_series_leave_no_records()
    {
        var driver = new EngineDriver();
        driver.Clock(Start + 3_000_000);
        for (var i = 0; i < 100; i++) driver.Feed(Tagged(i, Start + 1_000), Start + 3_000_000);
        driver.Commit();
        Assert.NotEmpty(Keys(driver, "05"));
        Assert.NotEmpty(Keys(driver, "02"));
        driver.Clock(Start + 3_010_000);
        driver.Commit();
        Assert.Empty(Keys(driver, "05"));
        Assert.Empty(Keys(driver, "02"));
        Assert.Equal(["01"], driver.State.Keys);
        Assert.Equal(606, driver.Parsed.Sum(a => a.Count) + 6);
    }

    [Fact]
    public void State_stays_small_while_a_log_goes_on()
    {
        var driver = new EngineDriver();
        var sizes = new List<int>();
        for (var minute = 0; minute < 40; minute++)
        {
            for (var i = 0; i < 60; i++) driver.Feed(Tagged(i % 20, Start + minute * 60_000 + i * 1000), Start + minute * 60_000 + i * 1000);
            driver.Commit();
            sizes.Add(driver.State.Count);
        }

        Assert.Equal(sizes[20], sizes[39]);
        // 21 series are two blocks: at most 15 panes, and 3 + 2 + 2 windows, of each.
        Assert.InRange(sizes[39], 20, 2 * (1 + 15 + 7) + 1);
    }

    [Fact]
    public void Damaged_state_is_refused_with_the_key_of_the_record()
    {
        var random = new Random(3);
        var driver = new EngineDriver();
        foreach (var record in TestLog.Make(4, 300).Records) driver.Feed(record);
        driver.Commit();
        var refused = 0;
        for (var round = 0; round < 400; round++)
        {
            var engine = new PartitionEngine(2, new());
            var damaged = random.Next(driver.State.Count);
            try
            {
                foreach (var ((key, value), i) in driver.State.Select((s, i) => (s, i)))
                {
                    var copy = value.ToArray();
                    if (i == damaged) copy[random.Next(copy.Length)] ^= (byte)(1 << random.Next(8));
                    engine.Restore(Convert.FromHexString(key), copy);
                }

                engine.CompleteRestore();
            }
            catch (Exception e) when (e is StateCorruptedException or StateIncompatibleException)
            {
                Assert.Matches("State record with key [0-9a-f]+: .|partition 2", e.Message);
                refused++;
            }
        }

        Assert.InRange(refused, 100, 400);
    }

    [Fact]
    public void Missing_records_are_noticed()
    {
        var driver = new EngineDriver();
        driver.Clock(Start + 3_000_000);
        for (var i = 0; i < 40; i++) driver.Feed(Tagged(i, Start + 3_000_000), Start + 3_000_000);
        for (var i = 0; i < 40; i++) driver.Feed(Tagged(i, Start), Start + 3_000_000);
        driver.Commit();
        foreach (var type in (string[])["01", "02", "05"])
        {
            var key = Keys(driver, type)[0];
            var value = driver.State[key];
            driver.State.Remove(key);
            Assert.Throws<StateCorruptedException>(() => driver.Crash());
            driver.State[key] = value;
        }

        Assert.True(driver.Crash().HasMeta);
    }

    [Fact]
    public void State_of_other_windows_is_not_read()
    {
        var driver = new EngineDriver();
        driver.Feed(new(Start, 1), Start);
        driver.Commit();
        var error = Assert.Throws<StateIncompatibleException>(() => driver.Crash(new() { Grace = TimeSpan.FromSeconds(7) }));
        Assert.Contains("Grace 00:00:05", error.Message, StringComparison.Ordinal);
        Assert.Contains("Grace 00:00:07", error.Message, StringComparison.Ordinal);
        driver.Crash(new() { MaxSeriesPerService = 7 });
    }

    [Fact]
    public void Unknown_versions_and_types_are_refused()
    {
        var engine = new PartitionEngine(0, new());
        Assert.Throws<StateCorruptedException>(() => engine.Restore([1], [2, 0]));
        Assert.Throws<StateCorruptedException>(() => engine.Restore([99], [1, 0]));
        Assert.Throws<StateCorruptedException>(() => engine.Restore([], [1, 0]));
    }

    [Fact]
    public void A_restored_engine_goes_on_where_the_log_stands()
    {
        var driver = new EngineDriver();
        driver.Feed(Tagged(1, Start + 1000), Start + 1000);
        driver.Commit();
        driver.Feed(Tagged(1, Start + 2000), Start + 2000);
        var result = driver.Crash();
        Assert.Equal((true, 1, Start + 1000), (result.HasMeta, result.Position, result.Watermark));
        driver.Feed(Tagged(1, Start + 2000), Start + 2000);
        driver.Clock(Start + 65_000);
        driver.Commit();
        Assert.All(driver.Parsed, a => Assert.Equal((2, 2), (a.Count, a.AsOfOffset)));
        Assert.Equal(AggregateKind.Final, driver.Parsed.First().Kind);
    }

    static TestEvent Tagged(int n, long time) => new(time, n) { Tags = new Dictionary<string, string> { ["n"] = $"{n}" } };

    static List<string> Keys(EngineDriver driver, string type) => [.. driver.State.Keys.Where(k => k.StartsWith(type, StringComparison.Ordinal))];
}
