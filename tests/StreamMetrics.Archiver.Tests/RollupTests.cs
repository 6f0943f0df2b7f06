using Microsoft.Extensions.Time.Testing;
using StreamMetrics.Archiver.Rollups;
using StreamMetrics.Archiver.Tests.Support;
using StreamMetrics.Contracts;
using Xunit;

namespace StreamMetrics.Archiver.Tests;

/// <summary>Hours and days are the merge of their windows, whatever comes late.</summary>
public sealed class RollupTests(StoresFixture stores) : IClassFixture<StoresFixture>
{
    const long Quarter = 900_000;
    const long Hour = 4 * Quarter;
    const long Day = 24 * Hour;
    static readonly DateTimeOffset Midnight = new(2026, 2, 27, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Hours_and_days_are_the_merge_of_their_windows_and_a_correction_has_them_computed_again()
    {
        await using var writing = await Writing.StartAsync(stores);
        var clock = new FakeTimeProvider(Midnight);
        var maintenance = writing.NewMaintenance(clock);
        var windows = Windows(hours: 50, asOf: 0);
        Writing.Write(writing.Writer, 0, 0, windows);

        Assert.Equal(0, maintenance.RollUp(CancellationToken.None));
        clock.Advance(TimeSpan.FromMinutes(61.9));
        Assert.Equal(0, maintenance.RollUp(CancellationToken.None));
        clock.Advance(TimeSpan.FromMinutes(0.1));
        Assert.Equal(3, maintenance.RollUp(CancellationToken.None));
        Assert.Equal(Expected(windows, Hour, "1h").Where(r => r.Start < Midnight.ToUnixTimeMilliseconds() + Hour), await writing.Store.RowsAsync("metric_rollups_hourly"));

        clock.Advance(TimeSpan.FromHours(60));
        maintenance.RollUp(CancellationToken.None);
        await AssertAsync(windows, days: 2);
        Assert.Equal(0, maintenance.RollUp(CancellationToken.None));

        var correction = windows[17] with { Kind = AggregateKind.Correction, Partition = 0, AsOfOffset = 1_000_000 };
        Writing.Write(writing.Writer, 0, windows.Count, correction);
        Assert.Equal(2, maintenance.RollUp(CancellationToken.None));
        await AssertAsync([.. windows, correction], days: 2);

        async Task AssertAsync(List<Aggregate> all, int days)
        {
            Assert.Equal(Expected(all, Hour, "1h"), await writing.Store.RowsAsync("metric_rollups_hourly"));
            var lastDay = Midnight.ToUnixTimeMilliseconds() + (days * Day);
            Assert.Equal(Expected(all, Day, "1d").Where(r => r.Start < lastDay), await writing.Store.RowsAsync("metric_rollups_daily"));
        }
    }

    [Fact]
    public async Task Instances_that_roll_up_while_the_sink_writes_miss_nothing()
    {
        await using var writing = await Writing.StartAsync(stores);
        var clock = new FakeTimeProvider(Midnight.AddDays(5));
        var all = Enumerable.Range(0, 25).Select(round => Windows(hours: 3, asOf: round * 1000, seed: round)).ToList();
        var isWriting = true;
        var rollingUp = Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(
            () =>
            {
                var maintenance = writing.NewMaintenance(clock);
                var computed = 0;
                while (Volatile.Read(ref isWriting)) computed += maintenance.RollUp(CancellationToken.None);
                return computed;
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToList();
        await Task.Run(() =>
        {
            for (var round = 0; round < all.Count; round++) Writing.Write(writing.Writer, 0, round * all[0].Count, all[round]);
        });
        Volatile.Write(ref isWriting, false);
        await Task.WhenAll(rollingUp);
        writing.NewMaintenance(clock).RollUp(CancellationToken.None);
        var windows = all.SelectMany(w => w).ToList();
        Assert.Equal(Expected(windows, Hour, "1h"), await writing.Store.RowsAsync("metric_rollups_hourly"));
        Assert.Equal(Expected(windows, Day, "1d"), await writing.Store.RowsAsync("metric_rollups_daily"));
    }

    [Fact]
    public async Task A_note_is_not_taken_while_a_writer_that_renewed_it_has_not_committed()
    {
        await using var writing = await Writing.StartAsync(stores);
        var maintenance = writing.NewMaintenance(new FakeTimeProvider(Midnight.AddDays(5)));
        Writing.Write(writing.Writer, 0, 0, Windows(hours: 1, asOf: 0));
        await using (var connection = await writing.Source.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await using var change = connection.CreateCommand();
            change.CommandText = $"UPDATE metric_aggregates SET late = 100; {RollupSql.Mark(RollupTier.Hourly, "metric_aggregates", "true")}";
            await change.ExecuteNonQueryAsync();
            Assert.Equal(0, maintenance.RollUp(CancellationToken.None));
            await transaction.CommitAsync();
        }

        Assert.Equal(6, maintenance.RollUp(CancellationToken.None));
        Assert.All(await writing.Store.RowsAsync("metric_rollups_daily"), row => Assert.Equal(400, row.Late));
    }

    [Fact]
    public async Task The_schema_step_notes_what_is_there_already()
    {
        await using var writing = await Writing.StartAsync(stores);
        var windows = Windows(hours: 2, asOf: 0);
        Writing.Write(writing.Writer, 0, 0, windows);
        var noted = await writing.Store.ScalarAsync<long>("SELECT count(*) FROM rollup_work");
        await using (var undo = writing.Source.CreateCommand(
            "DROP TABLE metric_rollups_hourly, metric_rollups_daily, rollup_work, retention_progress, restored_partitions; DROP SEQUENCE metric_rollups_id_seq; DELETE FROM schema_migrations WHERE version >= 2"))
        {
            await undo.ExecuteNonQueryAsync();
        }

        await writing.MigrateAsync();
        Assert.Equal(6, noted);
        Assert.Equal(noted, await writing.Store.ScalarAsync<long>("SELECT count(*) FROM rollup_work"));
    }

    /// <summary>Quarters of an hour from midnight on, of a total and two series.</summary>
    static List<Aggregate> Windows(int hours, long asOf, int seed = 1)
    {
        var random = new Random(seed);
        var start = Midnight.ToUnixTimeMilliseconds();
        return
        [
            .. from quarter in Enumerable.Range(0, hours * 4)
               from tags in new[] { null, new Dictionary<string, string> { ["e"] = "1" }, new() { ["e"] = "2" } }
               select Aggregates.Create(
                   "s", Aggregates.Values(random, 6), asOf + quarter + 1, start + (quarter * Quarter), window: WindowNames.FifteenMinutes, tags: tags),
        ];
    }

    static List<ExpectedRow> Expected(IEnumerable<Aggregate> windows, long length, string name)
    {
        // As if they were all of one long window: the model then merges them; the offsets only tell them apart.
        var offset = 0;
        return ExpectedTable.Of(windows.OrderBy(w => w.Start).Select(w => w with { Start = w.Start / length * length, Window = name, AsOfOffset = offset++ }));
    }
}
