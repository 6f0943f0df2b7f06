using FsCheck.Xunit;
using StreamMetrics.Contracts;
using StreamMetrics.Sketches;
using Xunit;

namespace StreamMetrics.Streams.Tests.Engine;

public class EnginePropertyTests
{
    const int Records = 600;

    [Property(MaxTest = 12)]
    public void Finals_and_corrections_agree_with_a_reference_that_keeps_all_values(int seed)
    {
        var log = TestLog.Make(seed, Records);
        var driver = Run(log, seed);
        var reference = new Reference(driver.Engine.Options);
        reference.Run(log);

        var finals = driver.Parsed.Where(a => a.Kind == AggregateKind.Final).ToDictionary(WindowKey.Of);
        Assert.Equal(reference.InTime.Keys.Where(reference.IsFinal).ToHashSet(), finals.Keys.ToHashSet());
        foreach (var (key, aggregate) in finals) Check(aggregate, reference.InTime[key], late: 0);

        var corrections = driver.Parsed.Where(a => a.Kind == AggregateKind.Correction).GroupBy(WindowKey.Of).ToDictionary(g => g.Key, g => g.ToList());
        foreach (var (key, parts) in corrections)
        {
            var late = reference.Late[key];
            Assert.Equal(late.Count, parts.Sum(p => p.Count) + PendingOf(driver, key, late));
            foreach (var part in parts) Assert.Equal(part.Count, part.Late);
        }
    }

    [Property(MaxTest = 12)]
    public void Sketches_of_finals_and_corrections_merge_to_that_of_all_events_byte_for_byte(int seed)
    {
        var log = TestLog.Make(seed, Records);
        var driver = Run(log, seed);
        driver.Engine.MoveClock(driver.Engine.Watermark + 20 * 60_000);
        driver.Commit();
        var reference = new Reference(driver.Engine.Options);
        reference.Run(log);

        var merged = driver.Parsed.GroupBy(WindowKey.Of).ToDictionary(g => g.Key, g => Merge([.. g]));
        var all = reference.InTime.Concat(reference.Late).GroupBy(w => w.Key, w => w.Value).ToDictionary(g => g.Key, g => g.SelectMany(s => s).ToList());
        Assert.Equal(all.Keys.ToHashSet(), merged.Keys.ToHashSet());
        foreach (var (key, samples) in all)
        {
            var expected = new ExponentialHistogram();
            foreach (var sample in samples) expected.Add(sample.Event.Value);
            Assert.Equal(expected.ToArray(), merged[key].ToArray());
        }
    }

    [Property(MaxTest = 12)]
    public void Rejected_and_late_records_are_those_the_rules_name(int seed)
    {
        var log = TestLog.Make(seed, Records);
        var driver = Run(log, seed);
        var reference = new Reference(driver.Engine.Options);
        reference.Run(log);
        var statistics = driver.Engine.Statistics;

        Assert.Equal(reference.Rejected.GetValueOrDefault(ReasonCodes.BeyondHorizon), driver.LateRecords.Count);
        Assert.Equal(reference.Rejected.GetValueOrDefault(ReasonCodes.FutureTimestamp), driver.DeadLetters.Count(d => d.Reason == ReasonCodes.FutureTimestamp));
        Assert.Equal(reference.Rejected.GetValueOrDefault(ReasonCodes.TooOld), driver.DeadLetters.Count(d => d.Reason == ReasonCodes.TooOld));
        var invalid = log.Records.Count(r => !r.IsClock && !log.Events.ContainsKey(r.Offset));
        Assert.Equal(invalid, driver.DeadLetters.Count(d => d.Reason is ReasonCodes.MalformedJson or ReasonCodes.InvalidField));
        // Every record is accounted for once.
        Assert.Equal(statistics.Events, statistics.Accepted + statistics.DeadLetters + statistics.Late + statistics.ReplayDuplicates);
        foreach (var rejected in driver.DeadLetters.Concat(driver.LateRecords))
        {
            Assert.Equal(log.Records.Single(r => r.Offset == rejected.Offset).Value, rejected.Value);
        }
    }

    [Property(MaxTest = 12)]
    public void Any_batch_sizes_give_the_same_bytes(int seed, int otherSeed)
    {
        var log = TestLog.Make(seed, Records);
        AssertSame(Run(log, seed), Run(log, otherSeed ^ 0x5555));
    }

    [Property(MaxTest = 8)]
    public void A_crash_at_every_commit_gives_the_output_of_the_uncrashed_run(int seed)
    {
        var log = TestLog.Make(seed, Records);
        var uncrashed = Run(log, seed);
        var crashed = Run(log, seed, crash: true);
        AssertSame(uncrashed, crashed);
        Assert.Equal(uncrashed.State.Keys, crashed.State.Keys);
        foreach (var (key, value) in uncrashed.State) Assert.Equal(value, crashed.State[key]);
    }

    [Property(MaxTest = 8)]
    public void Another_split_over_partitions_gives_the_same_windows_when_merged(int seed)
    {
        var log = TestLog.Make(seed, Records);
        var one = RunToEnd(log, _ => true);
        // The same records, some in another log; both logs see the same log times through clock records.
        var left = RunToEnd(log, r => r.Offset % 3 != 0);
        var right = RunToEnd(log, r => r.Offset % 3 == 0);
        var expected = one.Parsed.GroupBy(WindowKey.Of).ToDictionary(g => g.Key, g => g.ToList());
        var actual = left.Parsed.Concat(right.Parsed).GroupBy(WindowKey.Of).ToDictionary(g => g.Key, g => g.ToList());
        Assert.Equal(expected.Keys.ToHashSet(), actual.Keys.ToHashSet());
        foreach (var (key, parts) in expected)
        {
            Assert.Equal(Merge(parts).ToArray(), Merge(actual[key]).ToArray());
            Assert.Equal(parts.Sum(p => p.Late), actual[key].Sum(p => p.Late));
            Assert.Equal(parts.Sum(p => p.Errors), actual[key].Sum(p => p.Errors));
            Assert.Equal(parts.Sum(p => p.Sum), actual[key].Sum(p => p.Sum), 1e-12 * parts.Sum(p => Math.Abs(p.Sum)) + 1e-300);
        }
    }

    [Property(MaxTest = 10)]
    public void No_aggregate_is_emitted_twice(int seed)
    {
        var driver = Run(TestLog.Make(seed, Records), seed);
        var keys = driver.Parsed.Select(a => (WindowKey.Of(a), a.Partition, a.AsOfOffset)).ToList();
        Assert.Equal(keys.Count, keys.Distinct().Count());
        Assert.All(driver.Parsed, a => Assert.Equal(2, a.Partition));
    }

    static void Check(Aggregate a, List<Sample> samples, long late)
    {
        var values = samples.Select(s => s.Event.Value).Order().ToArray();
        Assert.Equal(values.Length, a.Count);
        Assert.Equal(values[0], a.Min);
        Assert.Equal(values[^1], a.Max);
        Assert.Equal(values.Sum(), a.Sum, 1e-12 * values.Sum(Math.Abs));
        Assert.Equal(a.Sum / a.Count, a.Avg);
        var seconds = (a.End - a.Start) / 1000.0;
        Assert.Equal(a.MetricType == MetricTypes.Counter ? a.Sum / seconds : a.Count / seconds, a.Rate);
        Assert.Equal(samples.Count(s => s.IsError), a.Errors);
        Assert.Equal(late, a.Late);
        var last = samples.OrderByDescending(s => s.Event.Time).ThenByDescending(s => s.Event.Value).First().Event;
        Assert.Equal((last.Value, last.Time), (a.Last, a.LastTime));
        var traced = samples.Where(s => s.Event.TraceId != null).OrderByDescending(s => s.Event.Value).ThenBy(s => s.Offset).FirstOrDefault()?.Event;
        Assert.Equal(traced == null ? null : new Exemplar(traced.TraceId!, traced.SpanId, traced.Value, traced.Time), a.Exemplar);
        var sketch = ExponentialHistogram.Read(a.Sketch);
        Assert.Equal(sketch.MaxRelativeError, a.MaxRelativeError);
        Assert.Equal(0.005415, a.MaxRelativeError, 6);
        foreach (var (q, p) in ((double, double)[])[(0.5, a.P50), (0.95, a.P95), (0.99, a.P99), (0.999, sketch.Quantile(0.999))])
        {
            var exact = values[Math.Max(1, (int)Math.Ceiling(q * values.Length)) - 1];
            Assert.InRange(Math.Abs(p - exact), 0, Math.Abs(exact) * a.MaxRelativeError * (1 + 1e-9));
        }
    }

    // Late events that wait for the next pane boundary when the log ends: those since the last one.
    static long PendingOf(EngineDriver driver, WindowKey key, List<Sample> late)
    {
        if (driver.Engine.NextFinalTime == null) return 0;
        var before = driver.Parsed.Where(a => a.Kind == AggregateKind.Correction && WindowKey.Of(a) == key).Max(a => a.AsOfOffset);
        return late.Count(s => s.Offset >= before);
    }

    static ExponentialHistogram Merge(List<Aggregate> parts)
    {
        var merged = new ExponentialHistogram();
        foreach (var part in parts)
        {
            var sketch = ExponentialHistogram.Read(part.Sketch);
            Assert.Equal(part.Count, sketch.Count);
            merged.MergeFrom(sketch);
        }

        return merged;
    }

    static void AssertSame(EngineDriver expected, EngineDriver actual)
    {
        Assert.Equal(expected.Aggregates.Count, actual.Aggregates.Count);
        for (var i = 0; i < expected.Aggregates.Count; i++)
        {
            Assert.Equal(expected.Aggregates[i].Window, actual.Aggregates[i].Window);
            Assert.Equal(System.Text.Encoding.UTF8.GetString(expected.Aggregates[i].Json), System.Text.Encoding.UTF8.GetString(actual.Aggregates[i].Json));
        }

        Assert.Equal(expected.DeadLetters.Select(Text), actual.DeadLetters.Select(Text));
        Assert.Equal(expected.LateRecords.Select(Text), actual.LateRecords.Select(Text));
    }

    static string Text(Rejected r) => $"{r.Offset} {r.LogTime} {r.Key} {Convert.ToHexString(r.Value)} {r.Reason} {r.Message} {r.Attempts}";

    // Commits after random numbers of records; with a crash, records since the commit are processed again by the restored engine.
    static EngineDriver Run(TestLog log, int commitSeed, bool crash = false)
    {
        var driver = new EngineDriver();
        var commits = new Random(commitSeed);
        var sinceCommit = 0;
        for (var i = 0; i < log.Records.Count; i++)
        {
            driver.Feed(log.Records[i]);
            if (--sinceCommit > 0) continue;
            sinceCommit = commits.Next(commits.Next(4) == 0 ? 120 : 12);
            driver.Commit();
            if (crash) CrashAfter(driver, log, i);
        }

        driver.Commit();
        return driver;
    }

    static void CrashAfter(EngineDriver driver, TestLog log, int last)
    {
        // What was processed after the commit is lost, and leaves nothing behind.
        foreach (var record in log.Records.Skip(last + 1).Take(last % 5)) driver.Feed(record);
        var result = driver.Crash();
        Assert.True(result.HasMeta);
        Assert.Equal(log.Records[last].Offset + 1, result.Position);
        Assert.Equal(log.Records.Take(last + 1).Max(r => r.LogTime), result.Watermark);
    }

    static EngineDriver RunToEnd(TestLog log, Func<LogRecord, bool> isMine)
    {
        var driver = new EngineDriver();
        foreach (var record in log.Records)
        {
            // Replays are counted once per partition, so a split shares none.
            var mine = isMine(record) ? record with { Replay = null } : record with { IsClock = true };
            driver.Feed(mine);
        }

        driver.Engine.MoveClock(driver.Engine.Watermark + 20 * 60_000);
        driver.Commit();
        return driver;
    }
}
