using Npgsql;
using NpgsqlTypes;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Sink;

namespace StreamMetrics.Archiver.Rollups;

/// <summary>
/// Computes hours and days anew from their inputs, whenever one of these has changed: the sink notes every hour that it touches, an hour notes
/// its day. A note is taken once its bucket is over, in the transaction that writes the result, so a crash leaves it in place. Computing anew
/// instead of adding makes it right whatever came late, twice or in between.
/// </summary>
sealed class RollupWriter(NpgsqlDataSource source, PartitionStore partitions, ILogger<RollupWriter> logger)
{
    /// <summary>Computes some of what is noted of a tier.</summary>
    /// <param name="tier">The tier.</param>
    /// <param name="newestBucket">The last bucket that is over.</param>
    /// <param name="limit">Most series to take.</param>
    /// <returns>How many notes were taken; fewer than the limit: no more are due.</returns>
    public int ComputeSome(RollupTier tier, DateTimeOffset newestBucket, int limit)
    {
        using var connection = source.OpenConnection();
        using var transaction = connection.BeginTransaction();
        // Plans over many partitions look dear, and compiling them takes longer than running them.
        Execute(connection, "SET LOCAL jit = off");
        var work = Take(connection, tier, newestBucket, limit);
        if (work.Count == 0) return 0;
        var rows = new List<AggregateRow>();
        foreach (var bucket in Computable(connection, tier, work).GroupBy(w => w.Bucket)) rows.AddRange(RollUp(connection, tier, bucket.Key, [.. bucket]));
        if (rows.Count > 0) Store(connection, tier, rows);
        transaction.Commit();
        return work.Count;
    }

    static List<(DateTime Bucket, string Service, string Metric, string Hash)> Take(NpgsqlConnection connection, RollupTier tier, DateTimeOffset newest, int limit)
    {
        using var command = new NpgsqlCommand(RollupSql.Take, connection);
        command.Parameters.Add(new() { Value = tier.Name });
        command.Parameters.Add(new() { Value = newest.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = limit });
        using var row = command.ExecuteReader();
        var work = new List<(DateTime, string, string, string)>();
        while (row.Read()) work.Add((row.GetDateTime(0), row.GetString(1), row.GetString(2), row.GetString(3)));
        return work;
    }

    /// <summary>Without what lies where retention has dropped input: computing it again would replace the whole by a part.</summary>
    IEnumerable<(DateTime Bucket, string Service, string Metric, string Hash)> Computable(
        NpgsqlConnection connection, RollupTier tier, List<(DateTime Bucket, string Service, string Metric, string Hash)> work)
    {
        using var command = new NpgsqlCommand(RollupSql.DroppedBefore, connection);
        command.Parameters.Add(new() { Value = tier.Input.Name });
        if (command.ExecuteScalar() is not DateTime dropped) return work;
        var gone = work.Where(w => w.Bucket < dropped).ToList();
        foreach (var w in gone) Log.RollupInputGone(logger, tier.Window, w.Bucket, w.Service, w.Metric, tier.Input.Name, dropped);
        return work.Except(gone);
    }

    static IEnumerable<AggregateRow> RollUp(
        NpgsqlConnection connection, RollupTier tier, DateTime bucket, List<(DateTime Bucket, string Service, string Metric, string Hash)> work)
    {
        var end = bucket + tier.Length;
        using var command = new NpgsqlCommand(RollupSql.Inputs(tier), connection);
        command.Parameters.Add(new() { Value = bucket, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = end, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = work.Select(w => w.Service).ToArray() });
        command.Parameters.Add(new() { Value = work.Select(w => w.Metric).ToArray() });
        command.Parameters.Add(new() { Value = work.Select(w => w.Hash).ToArray() });
        using var reader = command.ExecuteReader();
        var inputs = new List<AggregateRow>();
        while (reader.Read()) inputs.Add(RowReader.Read(reader));
        return inputs.GroupBy(r => (r.Key.ServiceId, r.Key.MetricName, r.Key.TagsHash))
            .Select(series => AggregateRow.RollUp(tier.Window, new DateTimeOffset(bucket).ToUnixTimeMilliseconds(), new DateTimeOffset(end).ToUnixTimeMilliseconds(), [.. series]));
    }

    void Store(NpgsqlConnection connection, RollupTier tier, List<AggregateRow> rows)
    {
        partitions.Ensure(tier.Table, rows.Select(r => r.Key.Start).Distinct().Select(DateTimeOffset.FromUnixTimeMilliseconds));
        Execute(connection, RowSql.CreateStagingForTransaction);
        RowWriter.Copy(connection, rows, pass: 1);
        Execute(connection, RowSql.UpsertRollups(tier.Table.Name));
        if (tier.Next is { } next) Execute(connection, RollupSql.Mark(next, RowSql.Staging, "true"));
    }

    static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
