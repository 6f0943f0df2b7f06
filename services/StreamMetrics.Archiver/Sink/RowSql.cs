namespace StreamMetrics.Archiver.Sink;

/// <summary>The statements of the sink. Columns are listed once; reader and writer follow their order.</summary>
static class RowSql
{
    /// <summary>The temporary table that rows are copied into.</summary>
    public const string Staging = "metric_aggregates_staging";

    const string RollupColumns =
        """
        "timestamp", service_id, metric_name, window_size, tags_hash, scope, metric_type, unit, tags, count, sum, avg, min, max, p50, p95, p99,
        errors, last, last_time, exemplar, catalog, late, revision, max_relative_error, sketch
        """;

    const string Columns = $"{RollupColumns}, applied";

    const string Key = """(service_id, metric_name, window_size, "timestamp", tags_hash)""";

    const string ReadCommon =
        """
        (extract(epoch FROM a."timestamp") * 1000)::bigint, a.service_id, a.metric_name, a.window_size, a.tags_hash, a.scope, a.metric_type, a.unit,
        a.tags::text, a.count, a.sum, a.errors, a.late, a.last, (extract(epoch FROM a.last_time) * 1000)::bigint, a.exemplar::text, a.revision, a.sketch, a.catalog::text
        """;

    /// <summary>A table of the connection's own that rows are copied into, in two passes; empty again after every transaction.</summary>
    public const string CreateStaging =
        $"CREATE TEMP TABLE {Staging} ON COMMIT DELETE ROWS AS SELECT {Columns}, 1 AS pass FROM metric_aggregates WITH NO DATA";

    /// <summary>The same for one transaction.</summary>
    public const string CreateStagingForTransaction =
        $"CREATE TEMP TABLE {Staging} ON COMMIT DROP AS SELECT {Columns}, 1 AS pass FROM metric_aggregates WITH NO DATA";

    public const string Copy = $"COPY {Staging} ({Columns}, pass) FROM STDIN (FORMAT BINARY)";

    // In the order of the key, so that two writers of the same rows wait for each other in one direction only.
    const string InsertPass = $"INSERT INTO metric_aggregates AS stored ({Columns}) SELECT {Columns} FROM {Staging} WHERE pass =";
    const string InKeyOrder = $"ORDER BY {Key} ON CONFLICT {Key} DO UPDATE SET";

    /// <summary>
    /// First pass: rows that are not there are inserted; one that is there is locked and comes back as it is, its revision negated, which
    /// tells it from an inserted one. The second pass always overwrites it, in the same transaction, so nobody else ever sees that. This way
    /// every lookup goes through the unique index, whatever the planner believes of a partition that is minutes old.
    /// </summary>
    public const string InsertOrLock = $"""
        WITH written AS ({InsertPass} 1 {InKeyOrder} revision = -stored.revision RETURNING stored.*)
        SELECT {ReadCommon}, a.applied::text FROM written a WHERE a.revision < 0
        """;

    const string Replace =
        """
        count = excluded.count, sum = excluded.sum, avg = excluded.avg, min = excluded.min, max = excluded.max, p50 = excluded.p50, p95 = excluded.p95,
        p99 = excluded.p99, errors = excluded.errors, last = excluded.last, last_time = excluded.last_time, exemplar = excluded.exemplar, catalog = excluded.catalog,
        late = excluded.late, revision = excluded.revision, max_relative_error = excluded.max_relative_error, sketch = excluded.sketch
        """;

    /// <summary>Second pass: the rows that were there, merged.</summary>
    public const string Update = $"{InsertPass} 2 {InKeyOrder} {Replace}, applied = excluded.applied";

    /// <summary>Every row from an instant on.</summary>
    public const string SelectNewest = $"""SELECT {ReadCommon}, a.applied::text FROM metric_aggregates a WHERE a."timestamp" >= $1""";

    /// <summary>What <see cref="RowReader"/> reads of a table <c>a</c>; roll-ups do not know what was applied.</summary>
    public static string Read(bool hasApplied) => hasApplied ? $"{ReadCommon}, a.applied::text" : $"{ReadCommon}, '{{}}'";

    /// <summary>Puts the staged rows into a table of roll-ups, in the place of those that are there.</summary>
    public static string UpsertRollups(string table) =>
        $"INSERT INTO {table} ({RollupColumns}) SELECT {RollupColumns} FROM {Staging} {InKeyOrder} {Replace}";

    public const string Reject =
        """INSERT INTO sink_rejects (topic, partition, "offset", reason, key, value) VALUES ($1, $2, $3, $4, $5, $6)""";
}
