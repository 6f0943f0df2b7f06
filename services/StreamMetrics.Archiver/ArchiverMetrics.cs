using System.Diagnostics.Metrics;

namespace StreamMetrics.Archiver;

/// <summary>What the archiver measures of itself. Recorded per batch.</summary>
sealed class ArchiverMetrics
{
    public const string MeterName = "StreamMetrics.Archiver";

    readonly Counter<long> _records;
    readonly Counter<long> _rows;
    readonly Counter<long> _errors;
    readonly Counter<long> _retries;
    readonly Counter<long> _history;
    readonly Counter<long> _archived;
    readonly Counter<long> _archivedBytes;
    readonly Counter<long> _archiveFailures;
    readonly Histogram<double> _duration;
    readonly Histogram<long> _batch;
    long _lag;

    public ArchiverMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _records = meter.CreateCounter<long>("streammetrics.archiver.records", "{record}", "Records of the aggregate topics that were applied.");
        _rows = meter.CreateCounter<long>("streammetrics.archiver.rows", "{row}", "Rows inserted or merged.");
        _errors = meter.CreateCounter<long>("processing.errors", "{record}", "Records that are no aggregates.");
        _retries = meter.CreateCounter<long>("streammetrics.archiver.conflicts", "{batch}", "Batches tried again because another instance wrote the same row or went on with a partition.");
        _history = meter.CreateCounter<long>("streammetrics.archiver.history.rows", "{row}", "Rows written to the hot history.");
        _archived = meter.CreateCounter<long>("streammetrics.archiver.archive.partitions", "{partition}", "Expired partitions that were exported and verified.");
        _archivedBytes = meter.CreateCounter<long>("streammetrics.archiver.archive.bytes", "By", "Compressed bytes of exported partitions.");
        _archiveFailures = meter.CreateCounter<long>(
            "streammetrics.archiver.archive.failures", "{failure}", "Exports that failed or could not be verified; the partition stays and is tried again.");
        _duration = meter.CreateHistogram(
            "processing.duration", "s", "Time to write a batch to PostgreSQL, the waits for it included.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60] });
        _batch = meter.CreateHistogram(
            "streammetrics.archiver.batch.size", "{record}", "Records in a batch.",
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 10, 100, 500, 1000, 2500, 5000, 10_000, 100_000] });
        meter.CreateObservableGauge("streammetrics.archiver.lag", () => Volatile.Read(ref _lag), "{record}", "Records of the assigned partitions that are not in PostgreSQL yet.");
    }

    public void BatchWritten(int records, int rows, int rejects, TimeSpan duration)
    {
        _records.Add(records);
        _rows.Add(rows);
        if (rejects > 0) _errors.Add(rejects);
        _batch.Record(records);
        _duration.Record(duration.TotalSeconds);
    }

    public void Conflicted() => _retries.Add(1);

    public void HistoryWritten(int rows) => _history.Add(rows);

    public void Archived(long bytes)
    {
        _archived.Add(1);
        _archivedBytes.Add(bytes);
    }

    public void ArchiveFailed() => _archiveFailures.Add(1);

    public void LagIs(long records) => Volatile.Write(ref _lag, records);
}
