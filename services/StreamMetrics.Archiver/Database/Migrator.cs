using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace StreamMetrics.Archiver.Database;

/// <summary>One step of the schema, a file <c>Database/Migrations/NNNN_name.sql</c>. A step that was released is never changed.</summary>
/// <param name="Version">Its number; steps are applied in this order.</param>
/// <param name="Name">What it brings.</param>
/// <param name="Sql">Its statements.</param>
sealed record Migration(int Version, string Name, string Sql);

/// <summary>
/// Brings the schema up to date. Each step is applied once, in a transaction of its own, with its number noted in
/// <c>schema_migrations</c>; several instances may try at the same time: an advisory lock lets one do it and the others find it done.
/// </summary>
sealed partial class Migrator(NpgsqlDataSource source, ILogger<Migrator> logger)
{
    /// <summary>The steps of this version of the program.</summary>
    public static IReadOnlyList<Migration> All { get; } = ReadAll();

    /// <summary>Applies the steps that the database lacks.</summary>
    /// <exception cref="ServiceDefaults.Startup.StartupException">The database is of a newer version of the program.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await AdvisoryLocks.TakeAsync(connection, AdvisoryLocks.Migration, cancellationToken);
        await ExecuteAsync(
            connection,
            "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
            cancellationToken);
        var current = await CurrentVersionAsync(connection, cancellationToken);
        if (current > All[^1].Version)
        {
            throw new ServiceDefaults.Startup.StartupException(
                $"ConnectionStrings:streammetrics: the database has schema version {current}, this program knows up to {All[^1].Version}; use a newer program.");
        }

        foreach (var step in All.Where(m => m.Version > current))
        {
            await ExecuteAsync(connection, step.Sql, cancellationToken);
            await using var note = new NpgsqlCommand("INSERT INTO schema_migrations (version, name) VALUES ($1, $2)", connection);
            note.Parameters.Add(new() { Value = step.Version });
            note.Parameters.Add(new() { Value = step.Name });
            await note.ExecuteNonQueryAsync(cancellationToken);
            Log.Migrated(logger, step.Version, step.Name);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    static async Task<int> CurrentVersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce(max(version), 0) FROM schema_migrations", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    static List<Migration> ReadAll()
    {
        var assembly = typeof(Migrator).Assembly;
        return [.. assembly.GetManifestResourceNames().Select(resource => (resource, match: FileName().Match(resource))).Where(r => r.match.Success)
            .Select(r =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(r.resource)!);
                var version = int.Parse(r.match.Groups["version"].ValueSpan, CultureInfo.InvariantCulture);
                return new Migration(version, r.match.Groups["name"].Value.Replace('_', ' '), reader.ReadToEnd());
            })
            .OrderBy(m => m.Version)];
    }

    [GeneratedRegex(@"(?<version>\d{4})_(?<name>\w+)\.sql$")]
    private static partial Regex FileName();
}
