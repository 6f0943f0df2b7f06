using Npgsql;
using StackExchange.Redis;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests.Support;

/// <summary>A Redis and a PostgreSQL for all tests of a collection; each test clears what it wrote.</summary>
public sealed class Servers : IAsyncLifetime
{
    public RealRedis Redis { get; private set; } = null!;

    public RealPostgres Postgres { get; private set; } = null!;

    public string PostgresConnection { get; private set; } = "";

    internal HotData Hot { get; private set; } = null!;

    internal ColdData Cold { get; private set; } = null!;

    NpgsqlDataSource _source = null!;
    IConnectionMultiplexer _redis = null!;

    public async Task InitializeAsync()
    {
        Redis = await RealRedis.StartAsync();
        Postgres = await RealPostgres.StartAsync();
        PostgresConnection = await Postgres.CreateDatabaseAsync();
        _source = NpgsqlDataSource.Create(PostgresConnection);
        _redis = await Redis.ConnectAsync();
        Hot = new(_redis);
        Cold = new(_source);
        await Cold.MigrateAsync();
    }

    public async Task DisposeAsync()
    {
        await _redis.DisposeAsync();
        await _source.DisposeAsync();
        await Redis.DisposeAsync();
        await Postgres.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class ServersCollection : ICollectionFixture<Servers>
{
    public const string Name = "Redis and PostgreSQL";
}
