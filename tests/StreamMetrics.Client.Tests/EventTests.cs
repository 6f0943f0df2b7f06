using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;
using StreamMetrics.Client.Events;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Client.Tests;

public sealed class EventTests
{
    [Fact]
    public void An_event_says_what_was_recorded()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_707_267_600_123));
        var recording = new Recording(time, tags: new KeyValuePair<string, string>("region", "us-east-1"));
        recording.Record("api.request.duration", 245.5, "milliseconds", MetricTypes.HttpRequest, new("endpoint", "/api/v1/payments"), new("statusCode", 200));
        var e = Assert.Single(recording.Take());
        Assert.Equal(
            """
            "timestamp":1707267600123,"serviceId":"shop","instanceId":"shop-1","metricType":"HTTP_REQUEST","metricName":"api.request.duration","value":245.5,"unit":"milliseconds","tags":{"endpoint":"/api/v1/payments","region":"us-east-1","statusCode":"200"}}
            """,
            e.GetRawText()[(e.GetRawText().IndexOf(',', StringComparison.Ordinal) + 1)..]);
    }

    [Fact]
    public void Each_event_has_an_id_of_its_own()
    {
        var recording = new Recording();
        for (var i = 0; i < 100; i++) recording.Record("a", i, "1", "CUSTOM");
        Assert.Equal(100, recording.Take().Select(e => e.GetProperty("eventId").GetGuid()).Distinct().Count());
    }

    [Property(MaxTest = 300)]
    public Property Whatever_is_recorded_satisfies_the_contract_or_is_counted()
    {
        var texts = ArbMap.Default.GeneratorFor<string?>();
        var tags = Gen.Zip(texts, texts).ListOf();
        return Prop.ForAll(Gen.Zip(texts, texts).ToArbitrary(), tags.ToArbitrary(), ArbMap.Default.ArbFor<double>(), (names, all, value) =>
        {
            var recording = new Recording();
            recording.Record(names.Item1!, value, names.Item2!, names.Item2!, [.. all.Select(t => new KeyValuePair<string, object?>(t.Item1!, t.Item2))]);
            Assert.Equal(1, recording.Take().Count + recording.Recorder.AllDropped);
            Assert.Equal(double.IsFinite(value) && !string.IsNullOrEmpty(names.Item1) ? 0 : 1, recording.Recorder.AllDropped);
        });
    }

    [Fact]
    public void What_breaks_a_limit_is_cut_by_the_fixed_rule_and_counted()
    {
        var recording = new Recording();
        var tags = Enumerable.Range(0, 40).Reverse().Select(i => new KeyValuePair<string, object?>($"k{i:00}", new string('x', 300))).ToArray();
        recording.Record(new string('n', 250), 1, new string('u', 50), "not a type", tags);
        var e = Assert.Single(recording.Take());
        Assert.Equal(Enumerable.Range(0, 32).Select(i => $"k{i:00}"), e.GetProperty("tags").EnumerateObject().Select(t => t.Name));
        Assert.All(e.GetProperty("tags").EnumerateObject(), t => Assert.Equal(256, t.Value.GetString()!.Length));
        Assert.Equal("CUSTOM", e.GetProperty("metricType").GetString());
        Assert.Equal(1, recording.Recorder.Changed);
    }

    [Fact]
    public void A_cut_never_splits_a_character()
    {
        var recording = new Recording();
        recording.Record("a", 1, "1", "CUSTOM", new KeyValuePair<string, object?>("k", new string('x', 255) + "😀"));
        Assert.Equal(new string('x', 255), Assert.Single(recording.Take()).GetProperty("tags").GetProperty("k").GetString());
    }

    [Fact]
    public void The_largest_event_there_can_be_is_small_enough_for_the_contract()
    {
        // A control character takes six bytes in JSON, the most there is.
        static string Longest(int length) => new('\u0001', length);
        var source = new EventSource(new('s', 100), Longest(200), []);
        var tags = Enumerable.Range(0, 32).Select(i => new KeyValuePair<string, object?>(Longest(62) + i.ToString("00", null), Longest(256)));
        var series = Series.Create(source, new('n', 200), Longest(32), new('T', 64), [.. tags]);
        Assert.InRange(series.MaxEventLength, 60_000, EventLimits.MaxMessageBytes);
    }

    [Theory]
    [InlineData(true, "true")]
    [InlineData(2.5, "2.5")]
    [InlineData(DayOfWeek.Friday, "Friday")]
    [InlineData(new[] { 1, 2 }, "[1,2]")]
    public void Tag_values_become_text(object value, string expected)
    {
        var recording = new Recording();
        recording.Record("a", 1, "1", "CUSTOM", new KeyValuePair<string, object?>("k", value));
        Assert.Equal(expected, Assert.Single(recording.Take()).GetProperty("tags").GetProperty("k").GetString());
    }

    [Theory]
    [InlineData(ActivityTraceFlags.Recorded)]
    [InlineData(ActivityTraceFlags.None)]
    public void A_sampled_trace_is_in_the_metadata(ActivityTraceFlags flags)
    {
        var recording = new Recording();
        using var activity = new Activity("request").SetIdFormat(ActivityIdFormat.W3C);
        activity.Start();
        activity.ActivityTraceFlags = flags;
        Assert.True(recording.Recorder.TryGetSeries(new(null, "a", "1", "CUSTOM", []), 1, out var series, out _));
        recording.Recorder.Record(series, 1, activity);
        var e = Assert.Single(recording.Take());
        Assert.Equal(flags == ActivityTraceFlags.Recorded, e.TryGetProperty("metadata", out var metadata));
        if (flags == ActivityTraceFlags.None) return;
        Assert.Equal(activity.TraceId.ToHexString(), metadata.GetProperty("traceId").GetString());
        Assert.Equal(activity.SpanId.ToHexString(), metadata.GetProperty("spanId").GetString());
    }

    [Fact]
    public void Recording_a_known_series_allocates_nothing()
    {
        var recording = new Recording(queueBytes: 8 << 20);
        KeyValuePair<string, object?>[] tags = [new("endpoint", "/pay"), new("statusCode", 200)];
        recording.Record("api.request.duration", 1.5, "milliseconds", "HTTP_REQUEST", tags);
        var goes = 0;
        var least = Allocations.Least(() =>
        {
            goes++;
            return () =>
            {
                for (var i = 0; i < 1_000; i++) recording.Record("api.request.duration", i * 0.1, "milliseconds", "HTTP_REQUEST", tags);
            };
        });
        Assert.Equal(0, least);
        Assert.Equal(1 + (1_000 * goes), recording.Recorder.Queued);
    }

    [Fact]
    public void Beyond_the_limit_of_series_events_are_recorded_all_the_same()
    {
        var recording = new Recording(maxSeries: 2);
        for (var i = 0; i < 5; i++) recording.Record("a", i, "1", "CUSTOM", new KeyValuePair<string, object?>("k", i));
        Assert.Equal(5, recording.Take().Count);
        Assert.Equal(2, recording.Recorder.SeriesCount);
    }

    [Fact]
    public void A_full_queue_drops_and_counts()
    {
        var recording = new Recording(queueBytes: 1 << 17);
        for (var i = 0; i < 10_000; i++) recording.Record("a", i, "1", "CUSTOM");
        var dropped = recording.Recorder.DroppedCount(DropReason.QueueFull);
        Assert.InRange(dropped, 1, 9_999);
        Assert.Equal(10_000 - dropped, recording.Take().Count);
    }
}
