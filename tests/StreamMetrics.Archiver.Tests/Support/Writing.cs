using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using StreamMetrics.Archiver.Archive;
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
        Database = database;
        _source = NpgsqlDataSource.Create(database);
        _partitions = new(_source);
        Store = new(database);
        Writer = NewWriter();
    }

    /// <summary>Its connection string.</summary>
    public string Database { get; }

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

    /// <summary>What the archiver measures; nobody listens unless a test does.</summary>
    public ArchiverMetrics Metrics { get; } =
        new(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());

    /// <summary>What the health check tells of the archive.</summary>
    public ArchiveState ArchiveState { get; } = new();

    /// <summary>Another instance's roll-ups on the same database, at the time of a clock.</summary>
    public MaintenanceWorker NewMaintenance(TimeProvider time)
    {
        var partitions = new PartitionStore(_source);
        return new(
            new(_source, partitions, NullLogger<RollupWriter>.Instance), partitions, new(time, NullLogger<DatabaseAvailability>.Instance),
            Options.Create(new ArchiverOptions()), time, NullLogger<MaintenanceWorker>.Instance);
    }

    /// <summary>Another instance's retention on the same database, at the time of a clock.</summary>
    public Retainer NewRetainer(TimeProvider time, ColdArchive? archive = null) =>
        new(_source, new(_source), archive, ArchiveState, Metrics, Options.Create(new ArchiverOptions()), time, NullLogger<Retainer>.Instance);

    /// <summary>An archive in a store.</summary>
    public ColdArchive NewArchive(IArchiveStore store, TimeProvider time) =>
        new(store, Options.Create(new ArchiveOptions()), Metrics, time, NullLogger<ColdArchive>.Instance);

    /// <summary>Puts a partition back from an archive.</summary>
    public async Task<bool> RestoreAsync(ColdArchive archive, string partition, TimeProvider time) =>
        await new PartitionRestorer(_source, archive, Options.Create(new ArchiveOptions()), time)
            .RestoreAsync((await archive.FindAsync(partition, CancellationToken.None))!, null, CancellationToken.None);

    /// <summary>Writes aggregates as the records of a topic's partition from an offset on.</summary>
    public static IReadOnlyCollection<AggregateRow> Write(SinkWriter writer, int partition, long offset, params IReadOnlyList<Aggregate> aggregates)
    {
        var batch = new SinkBatch();
        foreach (var (aggregate, i) in aggregates.Select((a, i) => (a, i)))
            batch.Add(new(new(Topics.Aggregated1m, partition, offset + i), aggregate, null, null, null));
        var moved = new TopicPartition(Topics.Aggregated1m, partition);
        writer.LoadOffsets([moved], new Dictionary<string, string>(), (_, _) => throw new InvalidOperationException("No id is known, so none is new."));
        return writer.Write(batch, batch.Advances(_ => offset));
    }

    public async ValueTask DisposeAsync()
    {
        Writer.Dispose();
        await Store.DisposeAsync();
        await _source.DisposeAsync();
    }
}
