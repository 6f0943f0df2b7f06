using Npgsql;
using NpgsqlTypes;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Rollups;
using StreamMetrics.Contracts;
using TopicPartition = Confluent.Kafka.TopicPartition;

namespace StreamMetrics.Archiver.Sink;

/// <summary>Another writer was in the way (a deadlock, or retention dropped a partition): the same batch is to be tried again.</summary>
sealed class ConcurrentWriteException : Exception;

/// <summary>
/// Writes a batch in one transaction: the offsets move; rows go in by binary COPY and one statement, which also locks and returns those that
/// are there already; into these the batch's finals and corrections are merged, and they are written back. All of it is in the database or
/// nothing.
/// </summary>
/// <remarks>One connection is kept, for its staging table; after a failure of any kind it is given up.</remarks>
sealed class SinkWriter(NpgsqlDataSource source, PartitionStore partitions) : IDisposable
{
    NpgsqlConnection? _connection;

    /// <summary>Reads where partitions go on; see <see cref="SinkOffsets.Load"/>.</summary>
    public Dictionary<TopicPartition, long> LoadOffsets(
        IReadOnlyCollection<TopicPartition> topicPartitions, IReadOnlyDictionary<string, string> topicIds, Action<TopicPartition, long> onAnew) =>
        WithConnection(connection => SinkOffsets.Load(connection, topicPartitions, topicIds, onAnew));

    /// <summary>Writes a batch.</summary>
    /// <returns>The rows as they are in the database now.</returns>
    /// <exception cref="OffsetsTakenException">A partition has gone on without us; nothing was written.</exception>
    /// <exception cref="ConcurrentWriteException">To be tried again; nothing was written.</exception>
    public IReadOnlyCollection<AggregateRow> Write(SinkBatch batch, IReadOnlyList<OffsetAdvance> advances)
    {
        partitions.Ensure(
            PartitionedTable.Aggregates,
            batch.Records.Where(r => r.Aggregate is not null).Select(r => r.Aggregate!.Start).Distinct().Select(DateTimeOffset.FromUnixTimeMilliseconds));
        return WithConnection(connection =>
        {
            using var transaction = connection.BeginTransaction();
            SinkOffsets.Advance(connection, advances);
            var rows = StoreRows(connection, batch);
            StoreRejects(connection, batch);
            transaction.Commit();
            return rows;
        });
    }

    public void Dispose() => _connection?.Dispose();

    T WithConnection<T>(Func<NpgsqlConnection, T> work)
    {
        try
        {
            return work(_connection ??= Open());
        }
        catch (Exception e)
        {
            _connection?.Dispose();
            _connection = null;
            throw e switch
            {
                PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure } => new ConcurrentWriteException(),
                PostgresException { SqlState: PostgresErrorCodes.CheckViolation, ConstraintName: null or "" } when Forgot() => new ConcurrentWriteException(),
                _ => e,
            };
        }
    }

    // "No partition found for row" is a check violation that names no constraint: retention dropped a partition that we knew.
    bool Forgot()
    {
        partitions.Forget();
        return true;
    }

    NpgsqlConnection Open()
    {
        var connection = source.OpenConnection();
        try
        {
            Execute(connection, RowSql.CreateStaging);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    static List<AggregateRow> StoreRows(NpgsqlConnection connection, SinkBatch batch)
    {
        var aggregates = batch.Records.Where(r => r.Aggregate is not null).Select(r => r.Aggregate!).ToLookup(KeyOf);
        if (aggregates.Count == 0) return [];
        var rows = aggregates.ToDictionary(g => g.Key, g => MergeAll(AggregateRow.From(g.First(), g.Key.TagsHash), g.Skip(1)));
        RowWriter.Copy(connection, rows.Values, pass: 1);
        if (rows.Keys.Any(k => k.Window == RollupTier.Hourly.InputWindow)) Execute(connection, RollupSql.MarkHours);
        var stored = InsertOrLock(connection);
        if (stored.Count == 0) return [.. rows.Values];
        foreach (var row in stored) rows[row.Key] = MergeAll(row, aggregates[row.Key]);
        RowWriter.Copy(connection, stored, pass: 2);
        Execute(connection, RowSql.Update);
        return [.. rows.Values];
    }

    static RowKey KeyOf(Aggregate aggregate) =>
        AggregateRow.KeyOf(aggregate, aggregate.Scope == AggregateScope.Total ? TagsHash.Total : TagsHash.Compute(aggregate.Tags));

    static AggregateRow MergeAll(AggregateRow row, IEnumerable<Aggregate> aggregates)
    {
        foreach (var aggregate in aggregates) row.Merge(aggregate);
        return row;
    }

    static List<AggregateRow> InsertOrLock(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(RowSql.InsertOrLock, connection);
        using var reader = command.ExecuteReader();
        var stored = new List<AggregateRow>();
        while (reader.Read()) stored.Add(RowReader.Read(reader));
        return stored;
    }

    static void StoreRejects(NpgsqlConnection connection, SinkBatch batch)
    {
        foreach (var record in batch.Records)
        {
            if (record.Reject is null) continue;
            using var command = new NpgsqlCommand(RowSql.Reject, connection);
            command.Parameters.Add(new() { Value = record.Position.Topic });
            command.Parameters.Add(new() { Value = record.Position.Partition.Value });
            command.Parameters.Add(new() { Value = record.Position.Offset.Value });
            command.Parameters.Add(new() { Value = record.Reject });
            command.Parameters.Add(new() { Value = (object?)record.Key ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bytea });
            command.Parameters.Add(new() { Value = (object?)record.Value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bytea });
            command.ExecuteNonQuery();
        }
    }

    static int Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        return command.ExecuteNonQuery();
    }
}
