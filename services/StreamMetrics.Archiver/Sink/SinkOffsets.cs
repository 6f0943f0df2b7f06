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
    /// <summary>
    /// Reads where each partition goes on. One that was never read starts at 0; so does one whose topic has another id than the offset was
    /// written for, whatever it holds by now. Reading again what is applied already changes nothing (see <see cref="AggregateRow"/>).
    /// </summary>
    /// <param name="connection">The database.</param>
    /// <param name="partitions">The partitions.</param>
    /// <param name="topicIds">Topic → id, as far as they are known.</param>
    /// <param name="onAnew">Told of each partition of a topic that was created anew: where it would have gone on.</param>
    public static Dictionary<TopicPartition, long> Load(
        NpgsqlConnection connection, IReadOnlyCollection<TopicPartition> partitions, IReadOnlyDictionary<string, string> topicIds, Action<TopicPartition, long> onAnew)
    {
        using var command = new NpgsqlCommand(
            """
            INSERT INTO sink_offsets (topic, partition, next_offset) SELECT t, p, 0 FROM unnest($1, $2) AS k (t, p) ON CONFLICT DO NOTHING;
            """, connection);
        command.Parameters.Add(new() { Value = partitions.Select(p => p.Topic).ToArray() });
        command.Parameters.Add(new() { Value = partitions.Select(p => p.Partition.Value).ToArray() });
        command.ExecuteNonQuery();
        foreach (var (partition, offset) in BeginAnew(connection, partitions, topicIds)) onAnew(partition, offset);
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

    // Notes the ids; an offset that was written for another one is set to 0, and comes back as it was.
    static List<(TopicPartition Partition, long Offset)> BeginAnew(
        NpgsqlConnection connection, IReadOnlyCollection<TopicPartition> partitions, IReadOnlyDictionary<string, string> topicIds)
    {
        var known = partitions.Where(p => topicIds.ContainsKey(p.Topic)).ToList();
        using var command = new NpgsqlCommand(
            """
            WITH current AS (
                SELECT o.topic, o.partition, o.next_offset, o.topic_id AS old_id, k.id FROM sink_offsets o JOIN unnest($1, $2, $3) AS k (topic, partition, id) USING (topic, partition)
                WHERE o.topic_id IS DISTINCT FROM k.id FOR UPDATE OF o)
            UPDATE sink_offsets o SET topic_id = c.id, next_offset = CASE WHEN c.old_id IS NULL THEN o.next_offset ELSE 0 END
            FROM current c WHERE o.topic = c.topic AND o.partition = c.partition
            RETURNING o.topic, o.partition, c.next_offset, c.old_id
            """, connection);
        command.Parameters.Add(new() { Value = known.Select(p => p.Topic).ToArray() });
        command.Parameters.Add(new() { Value = known.Select(p => p.Partition.Value).ToArray() });
        command.Parameters.Add(new() { Value = known.Select(p => topicIds[p.Topic]).ToArray() });
        using var rows = command.ExecuteReader();
        var anew = new List<(TopicPartition, long)>();
        while (rows.Read())
        {
            if (!rows.IsDBNull(3)) anew.Add((new(rows.GetString(0), rows.GetInt32(1)), rows.GetInt64(2)));
        }

        return anew;
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
