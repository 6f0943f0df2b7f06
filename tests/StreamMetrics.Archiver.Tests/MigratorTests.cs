using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Tests.Support;
using StreamMetrics.ServiceDefaults.Startup;
using Xunit;

namespace StreamMetrics.Archiver.Tests;

public sealed class MigratorTests(StoresFixture stores) : IClassFixture<StoresFixture>
{
    [Fact]
    public async Task Many_instances_migrate_one_empty_database_at_the_same_time()
    {
        await using var source = NpgsqlDataSource.Create(await stores.Postgres.CreateDatabaseAsync());
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Migrate(source)));
        await Migrate(source);
        Assert.Equal(Migrator.All.Select(m => (m.Version, m.Name)), await StepsAsync(source));
    }

    [Fact]
    public void Steps_are_numbered_without_holes() => Assert.Equal(Enumerable.Range(1, Migrator.All.Count), Migrator.All.Select(m => m.Version));

    [Fact]
    public async Task A_database_of_a_newer_program_is_refused()
    {
        await using var source = NpgsqlDataSource.Create(await stores.Postgres.CreateDatabaseAsync());
        await Migrate(source);
        await using (var newer = source.CreateCommand("INSERT INTO schema_migrations (version, name) VALUES (9999, 'later')")) await newer.ExecuteNonQueryAsync();
        var refused = await Assert.ThrowsAsync<StartupException>(() => Migrate(source));
        Assert.Contains("schema version 9999", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Partitions_are_created_by_many_at_the_same_time()
    {
        await using var source = NpgsqlDataSource.Create(await stores.Postgres.CreateDatabaseAsync());
        await Migrate(source);
        var days = Enumerable.Range(0, 10).Select(d => new DateTimeOffset(2026, 2, 25, 13, 0, 0, TimeSpan.FromHours(5)).AddDays(d)).ToList();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => new PartitionStore(source).EnsureAsync(PartitionedTable.Aggregates, days, CancellationToken.None)));
        await using var command = source.CreateCommand("SELECT count(*), min(relname), max(relname) FROM pg_class WHERE relispartition AND relkind = 'r'");
        await using var row = await command.ExecuteReaderAsync();
        await row.ReadAsync();
        Assert.Equal((10L, "metric_aggregates_20260225", "metric_aggregates_20260306"), (row.GetInt64(0), row.GetString(1), row.GetString(2)));
    }

    [Theory]
    [InlineData(PartitionPeriod.Day, "2028-02-29T23:59:59.999Z", "t_20280229", "2028-02-29", "2028-03-01")]
    [InlineData(PartitionPeriod.Month, "2028-02-29T00:00:00Z", "t_202802", "2028-02-01", "2028-03-01")]
    [InlineData(PartitionPeriod.Month, "2026-12-31T23:00:00-02:00", "t_202701", "2027-01-01", "2027-02-01")]
    [InlineData(PartitionPeriod.Year, "2028-12-31T12:00:00Z", "t_2028", "2028-01-01", "2029-01-01")]
    internal void A_partition_spans_its_period_of_UTC(PartitionPeriod period, string instant, string name, string from, string to)
    {
        var partition = new PartitionedTable("t", period).At(DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(new(name, Day(from), Day(to)), partition);

        static DateTimeOffset Day(string text) => DateTimeOffset.Parse(text + "T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture);
    }

    static Task Migrate(NpgsqlDataSource source) => new Migrator(source, NullLogger<Migrator>.Instance).MigrateAsync(CancellationToken.None);

    static async Task<List<(int Version, string Name)>> StepsAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand("SELECT version, name FROM schema_migrations ORDER BY version");
        await using var row = await command.ExecuteReaderAsync();
        var steps = new List<(int, string)>();
        while (await row.ReadAsync()) steps.Add((row.GetInt32(0), row.GetString(1)));
        return steps;
    }
}
