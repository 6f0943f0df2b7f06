using Microsoft.Extensions.Time.Testing;
using StreamMetrics.Archiver.Tests.Support;
using StreamMetrics.Contracts;
using Xunit;

namespace StreamMetrics.Archiver.Tests;

/// <summary>Each tier drops its oldest partitions in time and nothing else, on a clock that the test moves.</summary>
public sealed class RetentionTests(StoresFixture stores) : IClassFixture<StoresFixture>
{
    static readonly DateTimeOffset Start = new(2026, 3, 30, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Each_tier_keeps_its_time()
    {
        await using var writing = await Writing.StartAsync(stores);
        var clock = new FakeTimeProvider(Start);
        var maintenance = writing.NewMaintenance(clock);
        var retainer = writing.NewRetainer(clock);
        Writing.Write(writing.Writer, 0, 0, Window(0, asOf: 1), Window(1, asOf: 2));
        clock.Advance(TimeSpan.FromDays(3));
        maintenance.RollUp(CancellationToken.None);

        // 30 March is over at midnight; 90 days later it has expired, and not an instant earlier.
        clock.SetUtcNow(Start.Date.AddDays(91).AddTicks(-1));
        Assert.True(await retainer.DropExpiredAsync(CancellationToken.None));
        Assert.Contains("20260330", await writing.Store.PartitionsAsync("metric_aggregates"));
        clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(await retainer.DropExpiredAsync(CancellationToken.None));
        var days = await writing.Store.PartitionsAsync("metric_aggregates");
        Assert.DoesNotContain("20260330", days);
        Assert.Contains("20260331", days);
        Assert.Equal(1, await writing.Store.ScalarAsync<long>("SELECT count(*) FROM metric_aggregates"));
        Assert.Equal(2, await writing.Store.ScalarAsync<long>("SELECT count(*) FROM metric_rollups_hourly"));

        // Hours are kept by months, days by years.
        clock.SetUtcNow(Start.AddDays(366));
        Assert.True(await retainer.DropExpiredAsync(CancellationToken.None));
        Assert.Contains("202603", await writing.Store.PartitionsAsync("metric_rollups_hourly"));
        clock.SetUtcNow(new(2027, 4, 2, 0, 0, 0, TimeSpan.Zero));
        Assert.True(await retainer.DropExpiredAsync(CancellationToken.None));
        Assert.DoesNotContain("202603", await writing.Store.PartitionsAsync("metric_rollups_hourly"));
        Assert.Equal(2, await writing.Store.ScalarAsync<long>("SELECT count(*) FROM metric_rollups_daily"));
        clock.SetUtcNow(new(2030, 1, 5, 0, 0, 0, TimeSpan.Zero));
        Assert.True(await retainer.DropExpiredAsync(CancellationToken.None));
        Assert.Equal(0, await writing.Store.ScalarAsync<long>("SELECT count(*) FROM metric_rollups_daily"));
    }

    [Fact]
    public async Task A_partition_stays_until_its_roll_ups_are_computed()
    {
        await using var writing = await Writing.StartAsync(stores);
        var clock = new FakeTimeProvider(Start.AddDays(200));
        var maintenance = writing.NewMaintenance(clock);
        var retainer = writing.NewRetainer(clock);
        Writing.Write(writing.Writer, 0, 0, Window(0, asOf: 1));
        Assert.True(await retainer.DropExpiredAsync(CancellationToken.None));
        Assert.Contains("20260330", await writing.Store.PartitionsAsync("metric_aggregates"));
        maintenance.RollUp(CancellationToken.None);
        Assert.True(await retainer.DropExpiredAsync(CancellationToken.None));
        Assert.DoesNotContain("20260330", await writing.Store.PartitionsAsync("metric_aggregates"));
        Assert.Equal(10, await writing.Store.ScalarAsync<long>("SELECT count FROM metric_rollups_hourly"));
    }

    [Fact]
    public async Task A_correction_that_comes_after_its_day_was_dropped_does_not_replace_the_hour()
    {
        await using var writing = await Writing.StartAsync(stores);
        var clock = new FakeTimeProvider(Start.AddDays(200));
        var maintenance = writing.NewMaintenance(clock);
        var retainer = writing.NewRetainer(clock);
        Writing.Write(writing.Writer, 0, 0, Window(0, asOf: 1));
        maintenance.RollUp(CancellationToken.None);
        Assert.True(await retainer.DropExpiredAsync(CancellationToken.None));
        using var other = writing.NewWriter();
        try
        {
            Writing.Write(other, 0, 1, Window(0, asOf: 2));
        }
        catch (Sink.ConcurrentWriteException)
        {
            // This instance knew the partition; the worker tries again, and so do we.
            Writing.Write(other, 0, 1, Window(0, asOf: 2));
        }

        Assert.Equal(1, maintenance.RollUp(CancellationToken.None));
        Assert.Equal(10, await writing.Store.ScalarAsync<long>("SELECT count FROM metric_rollups_hourly"));
        Assert.Equal(10, await writing.Store.ScalarAsync<long>("SELECT count FROM metric_rollups_daily"));
    }

    [Fact]
    public async Task A_partition_in_use_is_dropped_later()
    {
        await using var writing = await Writing.StartAsync(stores);
        var clock = new FakeTimeProvider(Start.AddDays(200));
        var maintenance = writing.NewMaintenance(clock);
        var retainer = writing.NewRetainer(clock);
        Writing.Write(writing.Writer, 0, 0, Window(0, asOf: 1));
        maintenance.RollUp(CancellationToken.None);
        await using (var reader = await writing.Source.OpenConnectionAsync())
        {
            await using var transaction = await reader.BeginTransactionAsync();
            await using var read = reader.CreateCommand();
            read.CommandText = "SELECT count(*) FROM metric_aggregates_20260330";
            await read.ExecuteScalarAsync();
            Assert.True(await retainer.DropExpiredAsync(CancellationToken.None));
            Assert.Contains("20260330", await writing.Store.PartitionsAsync("metric_aggregates"));
        }

        Assert.True(await retainer.DropExpiredAsync(CancellationToken.None));
        Assert.DoesNotContain("20260330", await writing.Store.PartitionsAsync("metric_aggregates"));
    }

    [Fact]
    public async Task Partitions_of_the_coming_days_are_there_ahead_of_time()
    {
        await using var writing = await Writing.StartAsync(stores);
        var clock = new FakeTimeProvider(new(2026, 12, 28, 23, 59, 0, TimeSpan.Zero));
        var maintenance = writing.NewMaintenance(clock);
        maintenance.Upkeep();
        clock.Advance(TimeSpan.FromMinutes(2));
        maintenance.Upkeep();
        var days = await writing.Store.PartitionsAsync("metric_aggregates");
        Assert.Equal("20261228", days[0]);
        Assert.Equal("20270105", days[^1]);
        Assert.Equal(9, days.Count);
        Assert.Equal(["202612", "202701"], await writing.Store.PartitionsAsync("metric_rollups_hourly"));
        Assert.Equal(["2026", "2027"], await writing.Store.PartitionsAsync("metric_rollups_daily"));
    }

    [Fact]
    public async Task Rejected_records_are_kept_as_long_as_final_windows()
    {
        await using var writing = await Writing.StartAsync(stores);
        await using (var insert = writing.Source.CreateCommand(
            "INSERT INTO sink_rejects (topic, partition, \"offset\", reason, created_at) VALUES ('t', 0, 1, 'old', '2026-03-30 12:00Z'), ('t', 0, 2, 'young', '2026-03-30 12:01Z')"))
        {
            await insert.ExecuteNonQueryAsync();
        }

        Assert.True(await writing.NewRetainer(new FakeTimeProvider(Start.AddDays(90).AddSeconds(30))).DropExpiredAsync(CancellationToken.None));
        Assert.Equal("young", await writing.Store.ScalarAsync<string>("SELECT string_agg(reason, ' ') FROM sink_rejects"));
    }

    static Aggregate Window(int daysLater, long asOf) => Aggregates.Create(
        "s", Aggregates.Values(new Random((int)asOf), 10), asOf, Start.AddDays(daysLater).ToUnixTimeMilliseconds(), window: WindowNames.FifteenMinutes);
}
