using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;
using StreamMetrics.Archiver.Sink;

namespace StreamMetrics.Archiver.History;

/// <summary>Reads the newest rows from PostgreSQL.</summary>
sealed class HistoryRows(NpgsqlDataSource source)
{
    /// <summary>Every row whose window starts at or after an instant (ms since the epoch).</summary>
    public async IAsyncEnumerable<AggregateRow> ReadAsync(long oldest, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(RowSql.SelectNewest, connection);
        command.Parameters.Add(new() { Value = DateTimeOffset.FromUnixTimeMilliseconds(oldest).UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) yield return RowReader.Read(reader);
    }
}
