using System.Text;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Streams.Tests.Engine;

public class RobustnessTests
{
    const long Start = TestLog.Start;

    [Fact]
    public void Every_record_of_random_and_mutated_bytes_ends_as_aggregate_late_record_or_dead_letter_with_a_reason()
    {
        var random = new Random(77);
        var driver = new EngineDriver();
        var seeds = TestLog.Make(1, 200).Records.Where(r => r.Value.Length > 0).Select(r => r.Value).ToArray();
        const int records = 30_000;
        for (var i = 0; i < records; i++)
        {
            var value = random.Next(10) == 0 ? RandomBytes(random) : Mutate(seeds[random.Next(seeds.Length)], random);
            driver.Feed(new(i, Start + i, value));
            if (i % 1000 == 0) driver.Commit();
        }

        driver.Engine.MoveClock(Start + 3_600_000);
        driver.Commit();
        var statistics = driver.Engine.Statistics;
        Assert.Equal(records, statistics.Events);
        Assert.Equal(records, statistics.Accepted + statistics.DeadLetters + statistics.Late);
        Assert.Equal(statistics.DeadLetters, driver.DeadLetters.Count);
        Assert.Equal(statistics.Late, driver.LateRecords.Count);
        foreach (var window in (string[])["1m", "5m", "15m"])
        {
            var aggregates = driver.Parsed.Where(a => a.Window == window).ToList();
            Assert.Equal(statistics.Accepted, aggregates.Where(a => a.Scope == AggregateScope.Series).Sum(a => a.Count));
            Assert.Equal(statistics.Accepted, aggregates.Where(a => a.Scope == AggregateScope.Total).Sum(a => a.Count));
        }

        Assert.All(driver.DeadLetters, d => Assert.True(d.Reason.Length > 0 && d.Message.Length > 0));
        Assert.InRange(statistics.Accepted, records / 10, records);
        Assert.InRange(statistics.DeadLetters, records / 10, records);
    }

    [Fact]
    public void A_valid_event_of_a_known_series_allocates_nothing()
    {
        var driver = new EngineDriver();
        var events = new byte[64][];
        for (var i = 0; i < events.Length; i++)
        {
            var e = new TestEvent(Start + i, 5 + i % 9) { Tags = new Dictionary<string, string> { ["n"] = $"{i % 8}", ["statusCode"] = "500" }, TraceId = "0af7651916cd43dd8448eb211c80319c", SpanId = "b7ad6b7169203331" };
            events[i] = e.ToJson();
        }

        // The first rounds make series and cells and let the runtime compile.
        for (var round = 0; round < 50; round++) Process(driver.Engine, events);
        var goes = 0;
        var least = Allocations.Least(() =>
        {
            goes++;
            return () =>
            {
                for (var round = 0; round < 50; round++) Process(driver.Engine, events);
            };
        });
        Assert.Equal(0, least);
        Assert.Equal(50 * (1 + goes) * events.Length, driver.Engine.Statistics.Accepted);
    }

    [Fact]
    public void New_panes_of_known_series_allocate_nothing_once_there_were_as_many()
    {
        var driver = new EngineDriver();
        var time = Start;
        for (var pane = 0; pane < 200; pane++) FeedPane(driver, ref time);
        var least = Allocations.Least(() =>
        {
            var events = Encode(ref time, 40);
            return () =>
            {
                foreach (var (value, at) in events) driver.Engine.Process(new() { Offset = driver.Engine.Position, LogTime = at, Value = value });
            };
        });
        // Finals wait in a list that the commit empties; it has the size it needed before.
        Assert.Equal(0, least);
    }

    [Fact]
    public void Options_that_break_a_rule_are_named_with_key_value_and_rule()
    {
        var options = new EngineOptions
        {
            Pane = TimeSpan.FromSeconds(7),
            Grace = TimeSpan.FromMinutes(6),
            MaxSeriesPerService = 0,
            Windows = [new() { Name = "1m", Size = TimeSpan.FromSeconds(61) }, new() { Name = "a b", Size = TimeSpan.FromSeconds(70) }],
        };
        var errors = options.Validate("Aggregator:Engine");
        Assert.Contains("Aggregator:Engine:Pane is '00:00:07': must be whole seconds that divide a minute.", errors);
        Assert.Contains("Aggregator:Engine:Grace is '00:06:00': must be 00:00:00 to 00:05:00.", errors);
        Assert.Contains("Aggregator:Engine:MaxSeriesPerService is '0': must be 1 to 1000000.", errors);
        Assert.Contains("Aggregator:Engine:Windows:0:Size is '00:01:01': must be a multiple of the pane, 00:00:07.", errors);
        Assert.Contains("Aggregator:Engine:Windows:1:Name is 'a b': must be 1-16 characters of A-Z a-z 0-9 -.", errors);
        Assert.Throws<ArgumentException>(() => new PartitionEngine(0, options));
        Assert.Empty(new EngineOptions().Validate("x"));
        Assert.Contains("too short", new EngineOptions { Pane = TimeSpan.FromSeconds(1), MaxFuture = TimeSpan.FromMinutes(3), SlidingSize = TimeSpan.FromSeconds(30) }.Validate("x").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_panes_and_windows_than_the_usual_ones_work()
    {
        var options = new EngineOptions
        {
            Pane = TimeSpan.FromSeconds(5),
            Grace = TimeSpan.Zero,
            SlidingName = "",
            Windows = [new() { Name = "5s", Size = TimeSpan.FromSeconds(5) }, new() { Name = "1h", Size = TimeSpan.FromHours(1) }],
        };
        var driver = new EngineDriver(options);
        for (var i = 0; i < 60; i++) driver.Feed(new(Start + i * 1000, i), Start + i * 1000);
        driver.Clock(Start + 60_000);
        driver.Commit();
        driver.Crash();
        Assert.Equal(12, driver.Parsed.Count(a => a.Scope == AggregateScope.Total));
        Assert.All(driver.Parsed, a => Assert.Equal(("5s", 5, 1.0), (a.Window, a.Count, a.Rate)));
        driver.Clock(Start + 3_600_000);
        driver.Commit();
        Assert.Equal(60, driver.Parsed.Single(a => a is { Window: "1h", Scope: AggregateScope.Total }).Count);
    }

    static void Process(PartitionEngine engine, byte[][] events)
    {
        foreach (var value in events) engine.Process(new() { Offset = engine.Position, LogTime = Start + 100, Key = "k"u8, Value = value });
    }

    static void FeedPane(EngineDriver driver, ref long time)
    {
        foreach (var (value, at) in Encode(ref time, 20)) driver.Engine.Process(new() { Offset = driver.Engine.Position, LogTime = at, Value = value });
        driver.Commit();
    }

    static List<(byte[] Value, long Time)> Encode(ref long time, int count)
    {
        var events = new List<(byte[], long)>();
        for (var i = 0; i < count; i++, time += 500) events.Add((new TestEvent(time, i % 7 + 1) { TraceId = "t" }.ToJson(), time));
        return events;
    }

    static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[random.Next(500)];
        random.NextBytes(bytes);
        return bytes;
    }

    static byte[] Mutate(byte[] seed, Random random)
    {
        var bytes = seed.ToArray();
        if (random.Next(3) == 0) return bytes;
        for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)(random.Next(2) == 0 ? random.Next(256) : Encoding.ASCII.GetBytes("\"{}[]:,0123456789\\ntfe+-.")[random.Next(25)]);
        return random.Next(6) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }
}
