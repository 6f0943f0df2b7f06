using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Sink;

namespace StreamMetrics.Archiver.Rollups;

/// <summary>The statements of the roll-ups. What is put into the text are our own names of tables and windows.</summary>
static class RollupSql
{
    /// <summary>
    /// Notes the hours that the sink's batch has changed. A note that is there already is locked all the same: whoever is about to take it
    /// waits until the batch can be seen, so no change falls between.
    /// </summary>
    public static readonly string MarkHours = Mark(RollupTier.Hourly, RowSql.Staging, "pass = 1 AND window_size = '15m'");

    /// <summary>Takes notes of buckets that are over, the oldest first; several instances take different ones.</summary>
    public const string Take = """
        DELETE FROM rollup_work WHERE (tier, bucket, service_id, metric_name, tags_hash) IN (
            SELECT tier, bucket, service_id, metric_name, tags_hash FROM rollup_work WHERE tier = $1 AND bucket <= $2
            ORDER BY bucket, service_id, metric_name, tags_hash LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING bucket, service_id, metric_name, tags_hash
        """;

    public const string DroppedBefore = "SELECT dropped_before FROM retention_progress WHERE table_name = $1";

    /// <summary>Notes the buckets of a tier that rows of a table belong to.</summary>
    public static string Mark(RollupTier tier, string from, string where) => $"""
        INSERT INTO rollup_work (tier, bucket, service_id, metric_name, tags_hash)
        SELECT '{tier.Name}', date_trunc('{tier.Unit}', "timestamp", 'UTC'), service_id, metric_name, tags_hash FROM {from} WHERE {where}
        GROUP BY 2, 3, 4, 5 ORDER BY 2, 3, 4, 5
        ON CONFLICT (tier, bucket, service_id, metric_name, tags_hash) DO UPDATE SET bucket = excluded.bucket
        """;

    /// <summary>The rows that some series have in a span of time.</summary>
    public static string Inputs(RollupTier tier) => $"""
        SELECT {RowSql.Read(tier.Input == PartitionedTable.Aggregates)} FROM {tier.Input.Name} a
        WHERE a.window_size = '{tier.InputWindow}' AND a."timestamp" >= $1 AND a."timestamp" < $2
            AND (a.service_id, a.metric_name, a.tags_hash) IN (SELECT * FROM unnest($3, $4, $5))
        ORDER BY a."timestamp"
        """;
}
