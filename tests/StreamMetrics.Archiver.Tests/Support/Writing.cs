using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Retention;
using StreamMetrics.Archiver.Rollups;
using StreamMetrics.Archiver.Sink;
using StreamMetrics.Contracts;

namespace StreamMetrics.Archiver.Tests.Support;

/// <summary>The sink's writer on a database of its own, without Kafka.</summary>
sealed class Writing : IAsyncDisposable
{
    readonly NpgsqlDataSource _source;
    readonly PartitionStore _partitions;

    Writing(string database)
    {
        _source = NpgsqlDataSource.Create(database);
        _partitions = new(_source);
        Store = new(database);
        Writer = NewWriter();
    }

    public SinkWriter Writer { get; }

    public ColdStore Store { get; }

    public NpgsqlDataSource Source => _source;

    public static async Task<Writing> StartAsync(StoresFixture stores)
    {
        var writing = new Writing(await stores.Postgres.CreateDatabaseAsync());
        await writing.MigrateAsync();
        return writing;
    }

    public Task MigrateAsync() => new Migrator(_source, NullLogger<Migrator>.Instance).MigrateAsync(CancellationToken.None);

    /// <summary>Another instance's writer on the same database.</summary>
    public SinkWriter NewWriter() => new(_source, _partitions);

    /// <summary>Another instance's roll-ups and retention on the same database, at the time of a clock.</summary>
    public MaintenanceWorker NewMaintenance(TimeProvider time)
    {
        var options = Options.Create(new ArchiverOptions());
        var partitions = new PartitionStore(_source);
        return new(
            new(_source, partitions, NullLogger<RollupWriter>.Instance), new(_source, partitions, options, time, NullLogger<Retainer>.Instance), partitions,
            new(time, NullLogger<DatabaseAvailability>.Instance), options, time, NullLogger<MaintenanceWorker>.Instance);
    }

    /// <summary>Writes aggregates as the records of a topic's partition from an offset on.</summary>
    public static IReadOnlyCollection<AggregateRow> Write(SinkWriter writer, int partition, long offset, params IReadOnlyList<Aggregate> aggregates)
    {
        var batch = new SinkBatch();
        foreach (var (aggregate, i) in aggregates.Select((a, i) => (a, i)))
            batch.Add(new(new(Topics.Aggregated1m, partition, offset + i), aggregate, null, null, null));
        var moved = new TopicPartition(Topics.Aggregated1m, partition);
        writer.LoadOffsets([moved]);
        return writer.Write(batch, batch.Advances(_ => offset));
    }

    public async ValueTask DisposeAsync()
    {
        Writer.Dispose();
        await Store.DisposeAsync();
        await _source.DisposeAsync();
    }
}
