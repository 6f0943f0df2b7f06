using System.Text;
using StreamMetrics.Contracts;
using Xunit;

namespace StreamMetrics.Streams.Tests.Engine;

public class EngineTests
{
    const long Start = TestLog.Start;
    const long Final1m = Start + 60_000 + 5_000;

    readonly EngineDriver _driver = new();

    [Fact]
    public void A_final_aggregate_is_exactly_these_bytes()
    {
        var first = new TestEvent(Start + 1000, 100.5)
        {
            Tags = new Dictionary<string, string> { ["statusCode"] = "503", ["endpoint"] = "/a\"ä" }, TraceId = "4bf92f35", SpanId = "00f067aa",
        };
        _driver.Feed(first, Start + 1000);
        _driver.Feed(first with { Time = Start + 2000, Value = 20.25, TraceId = "5cf92f35" }, Start + 2000);
        _driver.Clock(Final1m);
        _driver.Commit();

        const string head = "{\"serviceId\":\"payment-service\",\"metricName\":\"api.request.duration\",\"metricType\":\"HTTP_REQUEST\",\"unit\":\"milliseconds\",";
        const string body = "\"window\":\"1m\",\"start\":1707267600000,\"end\":1707267660000,\"kind\":\"final\",\"count\":2,\"sum\":120.75,\"avg\":60.375,"
            + "\"min\":20.25,\"max\":100.5,\"p50\":20.25,\"p95\":100.31658608609396,\"p99\":100.31658608609396,\"rate\":0.03333333333333333,\"last\":20.25,\"lastTime\":1707267602000,"
            + "\"errors\":2,\"exemplar\":{\"traceId\":\"4bf92f35\",\"spanId\":\"00f067aa\",\"value\":100.5,\"time\":1707267601000},"
            + "\"maxRelativeError\":0.005415159415902467,\"late\":0,\"partition\":2,\"asOfOffset\":2,\"sketch\":\"AQUMAAAAAAAAQDRAAAAAAAAgWUCqBJQBAqcCAg==\"}";
        Assert.Equal(2, _driver.Aggregates.Count);
        Assert.All(_driver.Aggregates, a => Assert.Equal(("1m", "payment-service"), (a.Window, a.Key)));
        Assert.Equal($"{head}\"scope\":\"total\",\"tags\":{{}},{body}", Encoding.UTF8.GetString(_driver.Aggregates[0].Json));
        Assert.Equal($"{head}\"scope\":\"series\",\"tags\":{{\"endpoint\":\"/a\\\"ä\",\"statusCode\":\"503\"}},{body}", Encoding.UTF8.GetString(_driver.Aggregates[1].Json));
        // It reads back as the contract's record, and that writes the same fields in the same order.
        var parsed = EngineDriver.Parse(_driver.Aggregates[1].Json);
        Assert.Equal("/a\"ä", parsed.Tags["endpoint"]);
        using var ours = System.Text.Json.JsonDocument.Parse(_driver.Aggregates[1].Json);
        using var theirs = System.Text.Json.JsonDocument.Parse(System.Text.Json.JsonSerializer.Serialize(parsed, ContractsJson.Default.Aggregate));
        Assert.Equal(theirs.RootElement.EnumerateObject().Select(p => p.Name), ours.RootElement.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public void A_window_is_final_when_log_time_reaches_end_plus_grace_and_not_before()
    {
        _driver.Feed(new(Start, 1), Start + 100);
        Assert.Equal(Final1m, _driver.Engine.NextFinalTime);
        _driver.Feed(new(Start + 59_999, 2), Final1m - 1);
        Assert.False(_driver.Engine.HasFinals);
        _driver.Feed(new(Start + 60_000, 3), Final1m);
        Assert.True(_driver.Engine.HasFinals);
        _driver.Commit();
        Assert.False(_driver.Engine.HasFinals);
        Assert.All(_driver.Parsed, a => Assert.Equal((2, Start, Start + 60_000, 2), (a.Count, a.Start, a.End, a.AsOfOffset)));
        // The event at the end belongs to the next window.
        Assert.Equal(Final1m + 60_000, _driver.Engine.NextFinalTime);
        Assert.Equal(6, _driver.Engine.Statistics.OpenWindows);
    }

    [Fact]
    public void A_pause_closes_all_windows_in_order_and_forgets_the_series()
    {
        _driver.Feed(new(Start + 899_000, 1), Start + 899_000);
        _driver.Clock(Start + 3_000_000);
        _driver.Commit();
        Assert.Equal(["1m", "1m", "5m", "5m", "15m", "15m"], _driver.Aggregates.Select(a => a.Window));
        Assert.Null(_driver.Engine.NextFinalTime);
        var statistics = _driver.Engine.Statistics;
        Assert.Equal((0, 0, 0, 6, 1), (statistics.Series, statistics.Totals, statistics.OpenWindows, statistics.Finals, statistics.ClockRecords));
        Assert.Empty(statistics.Services);
        // Nothing of it is in the state but stale slots: a restored engine is empty as well.
        _driver.Crash();
        Assert.Equal(0, _driver.Engine.Statistics.Series);
        Assert.Null(_driver.Engine.NextFinalTime);
    }

    [Fact]
    public void A_late_event_counts_in_open_windows_and_corrects_final_ones_at_the_next_pane_boundary()
    {
        _driver.Feed(new(Start + 1000, 1), Start + 1000);
        _driver.Clock(Final1m);
        _driver.Commit();
        _driver.Aggregates.Clear();

        _driver.Feed(new(Start + 2000, 5), Final1m + 100);
        _driver.Feed(new(Start + 3000, 7), Final1m + 200);
        Assert.Equal(Start + 70_000, _driver.Engine.NextFinalTime);
        Assert.Equal(2, _driver.Engine.Statistics.PendingCorrections);
        _driver.Clock(Start + 69_999);
        Assert.False(_driver.Engine.HasFinals);
        _driver.Clock(Start + 70_000);
        Assert.True(_driver.Engine.HasFinals);
        _driver.Commit();
        Assert.All(_driver.Parsed, a => Assert.Equal((AggregateKind.Correction, "1m", 2, 12.0, 2, 5), (a.Kind, a.Window, a.Count, a.Sum, a.Late, a.AsOfOffset)));
        Assert.Equal(2, _driver.Aggregates.Count);

        _driver.Aggregates.Clear();
        _driver.Clock(Start + 300_000 + 5_000);
        _driver.Commit();
        Assert.All(_driver.Parsed, a => Assert.Equal((AggregateKind.Final, "5m", 3, 13.0, 0), (a.Kind, a.Window, a.Count, a.Sum, a.Late)));
        Assert.Equal((2, 2), (_driver.Engine.Statistics.Corrected, _driver.Engine.Statistics.Services.Single().Corrected));
    }

    [Fact]
    public void Time_rules_hold_to_the_millisecond()
    {
        var now = Start + 10L * 86_400_000;
        _driver.Clock(now);
        _driver.Feed(new(now + 60_000, 1), now);
        _driver.Feed(new(now + 60_001, 1), now);
        _driver.Feed(new(now - 3_600_000, 1), now);
        _driver.Feed(new(now - 3_600_001, 1), now);
        _driver.Feed(new(now - 7L * 86_400_000, 1), now);
        _driver.Feed(new(now - 7L * 86_400_000 - 1, 1), now);
        _driver.Commit();
        Assert.Equal([2, 6], _driver.DeadLetters.Select(d => d.Offset));
        Assert.Equal([ReasonCodes.FutureTimestamp, ReasonCodes.TooOld], _driver.DeadLetters.Select(d => d.Reason));
        Assert.Equal([4, 5], _driver.LateRecords.Select(d => d.Offset));
        Assert.Equal($"timestamp is {now + 60_001}: 60.001 s ahead of the log time; at most 60 s are allowed", _driver.DeadLetters[0].Message);
        Assert.Equal(ReasonCodes.BeyondHorizon, _driver.LateRecords[0].Reason);
        Assert.Equal($"timestamp is {now - 3_600_001}: 3600.001 s behind the log time; at most 3600 s are allowed", _driver.LateRecords[0].Message);
        var statistics = _driver.Engine.Statistics;
        Assert.Equal((2, 2, 2, 1), (statistics.Accepted, statistics.DeadLetters, statistics.Late, statistics.Corrected));
        Assert.Equal(2, statistics.Services.Single().Late);
        Assert.Equal(1, statistics.DeadLettersByReason[ReasonCodes.TooOld]);
    }

    [Fact]
    public void Log_time_that_goes_back_does_not_move_the_watermark()
    {
        _driver.Feed(new(Start, 1), Start + 50_000);
        _driver.Feed(new(Start, 1), Start);
        Assert.Equal(Start + 50_000, _driver.Engine.Watermark);
        Assert.Equal(2, _driver.Engine.Position);
    }

    [Fact]
    public void A_replay_skips_the_age_rules_and_counts_once()
    {
        var now = Start + 20L * 86_400_000;
        _driver.Clock(now);
        _driver.Feed(new(Start, 4), now, new("metrics-late", 1, 17));
        _driver.Feed(new(Start, 4), now, new("metrics-late", 1, 17));
        _driver.Commit();
        _driver.Crash();
        _driver.Feed(new(Start, 4), now, new("metrics-late", 1, 17));
        _driver.Feed(new(Start, 5), now, new("metrics-late", 1, 18));
        _driver.Clock(now + 10_000);
        _driver.Commit();
        Assert.Equal(1, _driver.Engine.Statistics.ReplayDuplicates);
        Assert.Equal(6, _driver.Aggregates.Count);
        Assert.All(_driver.Parsed, a => Assert.Equal((AggregateKind.Correction, 2, 9.0), (a.Kind, a.Count, a.Sum)));
        // A refused replay is not remembered: the id may come again.
        _driver.Feed(new(now + 100_000, 4), now, new("metrics-dead-letter", 0, 3));
        _driver.Feed(new(now + 100_000, 4), now + 50_000, new("metrics-dead-letter", 0, 3));
        // Counted since the restore: replay 18 and the last one.
        Assert.Equal((2, 1), (_driver.Engine.Statistics.Accepted, _driver.Engine.Statistics.DeadLetters));
    }

    [Fact]
    public void Replay_ids_are_forgotten_after_their_retention_and_leave_tombstones()
    {
        _driver.Clock(Start);
        _driver.Feed(new(Start, 4), Start, new("metrics-late", 1, 17));
        _driver.Commit();
        Assert.Contains(_driver.State.Keys, k => k.StartsWith("06", StringComparison.Ordinal));
        _driver.Clock(Start + 14L * 86_400_000 + 10_001);
        _driver.Commit();
        Assert.DoesNotContain(_driver.State.Keys, k => k.StartsWith("06", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("metrics-late/3/17", true)]
    [InlineData("metrics-late/3", false)]
    [InlineData("/3/17", false)]
    [InlineData("metrics-late/-3/17", false)]
    [InlineData("metrics-late/3/x", false)]
    [InlineData("", false)]
    public void Replay_headers_are_read(string header, bool valid)
    {
        Assert.Equal(valid, ReplayOrigin.TryParse(Encoding.UTF8.GetBytes(header), out var origin));
        if (valid) Assert.Equal((new ReplayOrigin("metrics-late", 3, 17), header), (origin, origin.ToString()));
    }

    [Fact]
    public void Rejected_records_keep_key_value_and_attempts()
    {
        var value = Encoding.UTF8.GetBytes("{\"no\":1}");
        _driver.Engine.Process(new() { Offset = 7, LogTime = Start, Key = "k"u8, Value = value });
        _driver.Engine.Reject(new() { Offset = 8, LogTime = Start + 5, Key = "k"u8, Value = value, Attempts = 2 }, ReasonCodes.ProcessingFailed, "boom");
        Assert.True(_driver.Engine.HasUrgent);
        Assert.Equal(9, _driver.Engine.Position);
        _driver.Commit();
        Assert.False(_driver.Engine.HasUrgent);
        Assert.Equal((7, Start, "k", ReasonCodes.MissingField, 1), Summary(_driver.DeadLetters[0]));
        Assert.Equal("eventId: missing; must be a UUID such as 7b0c4f8e-1c2d-4e5f-8a9b-0c1d2e3f4a5b", _driver.DeadLetters[0].Message);
        Assert.Equal((8, Start + 5, "k", ReasonCodes.ProcessingFailed, 3), Summary(_driver.DeadLetters[1]));
        Assert.Equal(value, _driver.DeadLetters[1].Value);
    }

    [Fact]
    public void Events_of_another_partition_are_counted_and_processed()
    {
        // murmur2("payment-service") of 6 partitions, worked out by the Java client's formula below.
        var home = Murmur2.Partition("payment-service"u8, 6);
        var elsewhere = new EngineDriver(new() { InputPartitions = 6 }, (home + 1) % 6);
        var there = new EngineDriver(new() { InputPartitions = 6 }, home);
        foreach (var driver in (EngineDriver[])[elsewhere, there])
        {
            for (var i = 0; i < 3; i++) driver.Feed(new(Start, 1), Start);
        }

        Assert.Equal((3, 3), (elsewhere.Engine.Statistics.Misrouted, elsewhere.Engine.Statistics.Accepted));
        Assert.Equal((0, 3), (there.Engine.Statistics.Misrouted, there.Engine.Statistics.Accepted));
    }

    // The values of Kafka's own test of its Java implementation.
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Murmur2_is_that_of_the_java_client(string key, int hash) => Assert.Equal(hash, (int)Murmur2.Hash(Encoding.UTF8.GetBytes(key)));

    [Fact]
    public void Counters_have_rates_of_increments()
    {
        _driver.Feed(new(Start, 30) { MetricType = "COUNTER", MetricName = "orders" }, Start);
        _driver.Feed(new(Start, 60) { MetricType = "COUNTER", MetricName = "orders" }, Start);
        _driver.Engine.MoveClock(Final1m);
        _driver.Commit();
        Assert.All(_driver.Parsed, a => Assert.Equal(1.5, a.Rate));
        Assert.All(_driver.Parsed, a => Assert.Equal(1, a.AsOfOffset));
    }

    [Fact]
    public void Sums_are_compensated_and_stay_numbers()
    {
        foreach (var value in (double[])[1e16, 1, 1, -1e16, 1e-3]) _driver.Feed(new(Start, value) { MetricType = "GAUGE" }, Start);
        _driver.Feed(new(Start, double.MaxValue) { MetricType = "GAUGE", MetricName = "huge" }, Start);
        _driver.Feed(new(Start, double.MaxValue) { MetricType = "GAUGE", MetricName = "huge" }, Start);
        _driver.Engine.MoveClock(Final1m);
        _driver.Commit();
        Assert.All(_driver.Parsed.Where(a => a.MetricName != "huge"), a => Assert.Equal(2.001, a.Sum));
        Assert.All(_driver.Parsed.Where(a => a.MetricName == "huge"), a => Assert.Equal(double.MaxValue, a.Sum));
    }

    [Fact]
    public void An_exemplar_needs_a_trace_that_is_not_too_long()
    {
        _driver.Feed(new(Start, 9) { TraceId = new string('x', 65) }, Start);
        _driver.Feed(new(Start, 5) { TraceId = new string('y', 64), SpanId = new string('z', 65) }, Start);
        _driver.Feed(new(Start, 5) { TraceId = "second" }, Start);
        _driver.Engine.MoveClock(Final1m);
        _driver.Commit();
        Assert.All(_driver.Parsed, a => Assert.Equal(new Exemplar(new string('y', 64), null, 5, Start), a.Exemplar));
    }

    [Fact]
    public void Two_partitions_know_nothing_of_each_other()
    {
        var log = TestLog.Make(5, 300);
        var alone = new EngineDriver();
        foreach (var record in log.Records) alone.Feed(record);
        alone.Commit();
        var (left, right) = (new EngineDriver(), new EngineDriver());
        foreach (var record in log.Records)
        {
            left.Feed(record);
            if (record.Offset % 2 == 0) right.Feed(record);
            if (record.Offset % 3 == 0) right.Commit();
        }

        left.Commit();
        Assert.Equal(alone.Aggregates.Select(a => Convert.ToHexString(a.Json)), left.Aggregates.Select(a => Convert.ToHexString(a.Json)));
    }

    static (long, long, string, string, int) Summary(Rejected r) => (r.Offset, r.LogTime, r.Key, r.Reason, r.Attempts);
}
