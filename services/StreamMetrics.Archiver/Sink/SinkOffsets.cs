using Confluent.Kafka;
using Npgsql;
using NpgsqlTypes;

namespace StreamMetrics.Archiver.Sink;

/// <summary>Another instance has written these offsets since we read them: this one's view of the partition is old.</summary>
sealed class OffsetsTakenException(TopicPartition partition, long expected)
    : Exception($"{partition} is no longer at {expected}: another instance went on from there.")
{
    public TopicPartition Partition { get; } = partition;

    public long Expected { get; } = expected;
}

/// <summary>
/// How far each partition has been applied, in <c>sink_offsets</c>. The row moves in the transaction of the rows it covers and only from
/// where the writer believes it is, so every record is applied exactly once, whoever else believes to own the partition.
/// </summary>
static class SinkOffsets
{
    /// <summary>Reads where each partition goes on; one that was never read starts at 0.</summary>
    public static Dictionary<TopicPartition, long> Load(NpgsqlConnection connection, IReadOnlyCollection<TopicPartition> partitions)
    {
        using var command = new NpgsqlCommand(
            """
            INSERT INTO sink_offsets (topic, partition, next_offset) SELECT t, p, 0 FROM unnest($1, $2) AS k (t, p) ON CONFLICT DO NOTHING;
            """, connection);
        command.Parameters.Add(new() { Value = partitions.Select(p => p.Topic).ToArray() });
        command.Parameters.Add(new() { Value = partitions.Select(p => p.Partition.Value).ToArray() });
        command.ExecuteNonQuery();
        using var read = new NpgsqlCommand("SELECT topic, partition, next_offset FROM sink_offsets", connection);
        using var rows = read.ExecuteReader();
        var wanted = partitions.ToHashSet();
        var offsets = new Dictionary<TopicPartition, long>();
        while (rows.Read())
        {
            var partition = new TopicPartition(rows.GetString(0), rows.GetInt32(1));
            if (wanted.Contains(partition)) offsets[partition] = rows.GetInt64(2);
        }

        return offsets;
    }

    /// <summary>Moves the partitions of a batch, as part of the current transaction.</summary>
    /// <exception cref="OffsetsTakenException">One is not where it was expected.</exception>
    public static void Advance(NpgsqlConnection connection, IReadOnlyList<OffsetAdvance> advances)
    {
        using var batch = new NpgsqlBatch(connection);
        foreach (var advance in advances)
        {
            var command = new NpgsqlBatchCommand(
                "UPDATE sink_offsets SET next_offset = $1, updated_at = now() WHERE topic = $2 AND partition = $3 AND next_offset = $4");
            command.Parameters.Add(new() { Value = advance.Next, NpgsqlDbType = NpgsqlDbType.Bigint });
            command.Parameters.Add(new() { Value = advance.TopicPartition.Topic });
            command.Parameters.Add(new() { Value = advance.TopicPartition.Partition.Value });
            command.Parameters.Add(new() { Value = advance.Expected, NpgsqlDbType = NpgsqlDbType.Bigint });
            batch.BatchCommands.Add(command);
        }

        batch.ExecuteNonQuery();
        for (var i = 0; i < advances.Count; i++)
        {
            if (batch.BatchCommands[i].RecordsAffected != 1) throw new OffsetsTakenException(advances[i].TopicPartition, advances[i].Expected);
        }
    }
}
