using StreamMetrics.Archiver.Sink;
using StreamMetrics.Archiver.Tests.Support;
using StreamMetrics.Contracts;
using Xunit;

namespace StreamMetrics.Archiver.Tests;

/// <summary>Each batch exactly once, on a real PostgreSQL.</summary>
public sealed class SinkWriterTests(StoresFixture stores) : IClassFixture<StoresFixture>
{
    static readonly Random Random = new(7);

    [Fact]
    public async Task A_correction_merges_into_the_row_and_raises_the_revision()
    {
        await using var writing = await Writing.StartAsync(stores);
        Aggregate[] all = [Final(1, asOf: 10), Correction(2, asOf: 20), Correction(3, asOf: 30)];
        Writing.Write(writing.Writer, 0, 0, all[0]);
        Writing.Write(writing.Writer, 0, 1, all[1]);
        Writing.Write(writing.Writer, 0, 2, all[2]);
        var row = Assert.Single(await writing.Store.RowsAsync());
        Assert.Equal(Assert.Single(ExpectedTable.Of(all)), row);
        Assert.Equal(3, row.Revision);
        Assert.Equal(all[1].Count + all[2].Count, row.Late);
    }

    [Fact]
    public async Task A_correction_without_a_final_makes_a_row_and_the_final_merges_into_it()
    {
        await using var writing = await Writing.StartAsync(stores);
        Aggregate[] all = [Correction(1, asOf: 10), Final(2, asOf: 20)];
        Writing.Write(writing.Writer, 0, 0, all);
        Assert.Equal(ExpectedTable.Of(all), await writing.Store.RowsAsync());
    }

    [Fact]
    public async Task The_same_series_from_a_second_input_partition_merges()
    {
        await using var writing = await Writing.StartAsync(stores);
        // The same asOfOffset in another partition is another aggregate.
        Aggregate[] all = [Final(1, asOf: 10, partition: 0), Final(2, asOf: 10, partition: 3), Final(3, asOf: 5, partition: 1)];
        Writing.Write(writing.Writer, 0, 0, all[0]);
        Writing.Write(writing.Writer, 1, 0, all[1], all[2]);
        Assert.Equal(ExpectedTable.Of(all), await writing.Store.RowsAsync());
        Assert.Equal("""{"0": 10, "1": 5, "3": 10}""", await writing.Store.ScalarAsync<string>("SELECT applied::text FROM metric_aggregates"));
    }

    [Fact]
    public async Task An_aggregate_that_was_emitted_twice_counts_once()
    {
        await using var writing = await Writing.StartAsync(stores);
        Aggregate[] once = [Final(1, asOf: 10), Correction(2, asOf: 20)];
        Writing.Write(writing.Writer, 0, 0, once[0], once[0], once[1]);
        Writing.Write(writing.Writer, 0, 3, once[0], once[1], once[1]);
        Assert.Equal(ExpectedTable.Of(once), await writing.Store.RowsAsync());
    }

    [Fact]
    public async Task An_instance_whose_view_of_a_partition_is_old_writes_nothing()
    {
        await using var writing = await Writing.StartAsync(stores);
        using var zombie = writing.NewWriter();
        Writing.Write(writing.Writer, 0, 0, Final(1, asOf: 10));
        var refused = Assert.Throws<OffsetsTakenException>(() => Writing.Write(zombie, 0, 0, Final(1, asOf: 10), Final(2, asOf: 20)));
        Assert.Equal(0, refused.Expected);
        Assert.Equal(1, Assert.Single(await writing.Store.RowsAsync()).Revision);
        Assert.Equal(1, await writing.Store.AppliedAsync());
        Writing.Write(zombie, 0, 1, Final(2, asOf: 20));
        Assert.Equal(2, await writing.Store.AppliedAsync());
    }

    [Fact]
    public async Task A_batch_that_fails_leaves_neither_rows_nor_offsets()
    {
        await using var writing = await Writing.StartAsync(stores);
        Writing.Write(writing.Writer, 0, 0, Final(1, asOf: 10));
        await using (var forbid = writing.Source.CreateCommand("ALTER TABLE sink_rejects ADD CONSTRAINT never CHECK (reason = '')")) await forbid.ExecuteNonQueryAsync();
        var batch = new SinkBatch();
        batch.Add(new(new(Topics.Aggregated1m, 0, 1), Final(2, asOf: 20), null, null, null));
        batch.Add(new(new(Topics.Aggregated1m, 0, 2), null, "broken", null, [1]));
        Assert.Throws<Npgsql.PostgresException>(() => writing.Writer.Write(batch, batch.Advances(_ => 1)));
        Assert.Equal(1, Assert.Single(await writing.Store.RowsAsync()).Revision);
        Assert.Equal(1, await writing.Store.AppliedAsync());
    }

    [Fact]
    public async Task Two_writers_of_the_same_rows_lose_nothing()
    {
        await using var writing = await Writing.StartAsync(stores);
        using var other = writing.NewWriter();
        const int Rounds = 30;
        const int Series = 40;
        var all = Enumerable.Range(0, 2).Select(p => Enumerable.Range(0, Rounds)
            .Select(r => Enumerable.Range(0, Series).Select(s => Aggregates.Create($"s{s}", Aggregates.Values(Random, 5), asOf: (r * Series) + s + 1, partition: p)).ToList()).ToList()).ToList();
        await Task.WhenAll(Run(writing.Writer, 0), Run(other, 1));
        var rows = await writing.Store.RowsAsync();
        Assert.Equal(Series, rows.Count);
        var expected = ExpectedTable.Of(all.SelectMany(r => r).SelectMany(a => a));
        Assert.Equal(expected.Select(e => e with { Sketch = "", Sum = 0 }), rows.Select(r => r with { Sketch = "", Sum = 0 }));
        Assert.Equal(expected.Select(e => e.Sum), rows.Select(r => r.Sum));
        Assert.Equal(expected.Select(e => e.Sketch), rows.Select(r => r.Sketch));

        // One long-running thread each: the writer is synchronous.
        Task Run(SinkWriter writer, int partition) => Task.Factory.StartNew(
            () =>
            {
                for (var round = 0; round < Rounds; round++)
                {
                    // A failed attempt has written nothing: what the worker does, try again.
                    for (var done = false; !done;)
                    {
                        try
                        {
                            Writing.Write(writer, partition, round * Series, all[partition][round]);
                            done = true;
                        }
                        catch (ConcurrentWriteException)
                        {
                            Assert.True(round < Rounds);
                        }
                    }
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    [Fact]
    public async Task Days_without_a_partition_get_one_and_one_that_was_dropped_comes_back()
    {
        await using var writing = await Writing.StartAsync(stores);
        var old = Aggregates.Start(WindowNames.OneMinute, 60 * 24 * 40);
        Writing.Write(writing.Writer, 0, 0, Final(1, asOf: 1, start: old), Final(2, asOf: 2, start: old + (86_400_000L * 3)), Final(3, asOf: 3));
        Assert.Equal(3, await writing.Store.ScalarAsync<long>("SELECT count(*) FROM metric_aggregates"));
        await using (var drop = writing.Source.CreateCommand($"DROP TABLE metric_aggregates_{DateTimeOffset.FromUnixTimeMilliseconds(old):yyyyMMdd}")) await drop.ExecuteNonQueryAsync();
        Assert.Throws<ConcurrentWriteException>(() => Writing.Write(writing.Writer, 0, 3, Final(4, asOf: 4, start: old)));
        Writing.Write(writing.Writer, 0, 3, Final(4, asOf: 4, start: old));
        Assert.Equal(3, await writing.Store.ScalarAsync<long>("SELECT count(*) FROM metric_aggregates"));
        Assert.Equal(4, await writing.Store.AppliedAsync());
    }

    [Fact]
    public async Task Every_column_is_what_the_aggregate_says()
    {
        await using var writing = await Writing.StartAsync(stores);
        var tags = new Dictionary<string, string> { ["endpoint"] = "/ä", ["nul"] = "a\0b" };
        var aggregate = Aggregates.Create("s", [1, 2, 950, -3], asOf: 5, tags: tags);
        Writing.Write(writing.Writer, 0, 0, aggregate);
        await using var command = writing.Source.CreateCommand(
            """
            SELECT scope, metric_type, unit, tags->>'endpoint', tags->>'nul', exemplar->>'traceId', max_relative_error, p95, catalog IS NULL, "timestamp", last_time
            FROM metric_aggregates
            """);
        await using var row = await command.ExecuteReaderAsync();
        Assert.True(await row.ReadAsync());
        Assert.Equal(("series", aggregate.MetricType, aggregate.Unit), (row.GetString(0), row.GetString(1), row.GetString(2)));
        Assert.Equal(("/ä", "a\uFFFDb", "trace-5"), (row.GetString(3), row.GetString(4), row.GetString(5)));
        Assert.Equal((aggregate.MaxRelativeError, aggregate.P95, true), (row.GetDouble(6), row.GetDouble(7), row.GetBoolean(8)));
        Assert.Equal(aggregate.Start, new DateTimeOffset(row.GetDateTime(9)).ToUnixTimeMilliseconds());
        Assert.Equal(aggregate.LastTime, new DateTimeOffset(row.GetDateTime(10)).ToUnixTimeMilliseconds());
    }

    static Aggregate Final(int seed, long asOf, int partition = 0, long? start = null) =>
        Aggregates.Create("s", Aggregates.Values(new Random(seed), 10), asOf, start, partition);

    static Aggregate Correction(int seed, long asOf) =>
        Aggregates.Create("s", Aggregates.Values(new Random(seed), 3), asOf, kind: AggregateKind.Correction);
}
