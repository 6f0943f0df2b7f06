using System.Diagnostics;
using Confluent.Kafka;
using Microsoft.Extensions.Options;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.History;
using StreamMetrics.Contracts;

namespace StreamMetrics.Archiver.Sink;

/// <summary>
/// Moves the aggregate topics into PostgreSQL: fill a batch, write it, again. The offsets are in the database, in the transaction of the rows,
/// so nothing is committed to Kafka and a crash at any point costs nothing but reading the unwritten records again.
/// </summary>
/// <remarks>
/// While PostgreSQL is away the loop stands in <c>Write</c> and polls nothing: Kafka keeps the records. When that lasts longer than the group's
/// poll interval the group gives our partitions away, which is as good; the next poll joins again. The loop ends when the host stops, or with
/// an exception that it cannot mend, which stops the host.
/// </remarks>
sealed class SinkWorker(
    Lazy<IConsumer<byte[]?, byte[]?>> lazyConsumer, SinkAssignment assignment, SinkWriter writer, DatabaseAvailability database, HotHistory history, SinkState state,
    ArchiverMetrics metrics, IOptions<ArchiverOptions> options, TimeProvider time, ILogger<SinkWorker> logger) : BackgroundService
{
    public static readonly string[] AggregateTopics = [Topics.Aggregated1m, Topics.Aggregated5m, Topics.Aggregated15m];
    static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);
    const int MaxConflicts = 100;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Factory.StartNew(() => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    void Run(CancellationToken stopping)
    {
        var consumer = lazyConsumer.Value;
        assignment.Stopping = stopping;
        try
        {
            consumer.Subscribe(AggregateTopics);
            while (!stopping.IsCancellationRequested)
            {
                Fill(consumer, stopping);
                if (!assignment.Batch.IsEmpty) Write(consumer, stopping);
                state.Alive();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop while waiting; the unwritten batch is read again by whoever goes on.
        }
        finally
        {
            consumer.Close();
            writer.Dispose();
        }
    }

    void Fill(IConsumer<byte[]?, byte[]?> consumer, CancellationToken stopping)
    {
        if (Poll(consumer, PollTime, stopping) is not { } first) return;
        assignment.Add(first);
        var started = time.GetTimestamp();
        while (assignment.Batch.Records.Count < options.Value.MaxBatchRecords)
        {
            var left = options.Value.BatchDelay - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || stopping.IsCancellationRequested) return;
            if (Poll(consumer, left, stopping) is { } next) assignment.Add(next);
        }
    }

    ConsumeResult<byte[]?, byte[]?>? Poll(IConsumer<byte[]?, byte[]?> consumer, TimeSpan wait, CancellationToken stopping)
    {
        try
        {
            return consumer.Consume(wait);
        }
        catch (ConsumeException e) when (!e.Error.IsFatal && !IsUnreadable(e.Error.Code))
        {
            Log.ConsumeFailed(logger, e.Error.Reason);
            Pause.On(time, RetryPause, stopping);
            return null;
        }
    }

    // Going on would skip the record.
    static bool IsUnreadable(ErrorCode code) => code is ErrorCode.Local_BadMsg or ErrorCode.Local_BadCompression or ErrorCode.Local_KeyDeserialization
        or ErrorCode.Local_ValueDeserialization or ErrorCode.InvalidMsg;

    void Write(IConsumer<byte[]?, byte[]?> consumer, CancellationToken stopping)
    {
        var batch = assignment.Batch;
        var advances = batch.Advances(assignment.Expected);
        var started = time.GetTimestamp();
        using var span = SinkTracing.Start(batch);
        try
        {
            var rows = WriteUntilDone(batch, advances, stopping);
            assignment.Moved(advances);
            history.Offer(rows);
            metrics.BatchWritten(batch.Records.Count, rows.Count, batch.Records.Count(r => r.Reject is not null), time.GetElapsedTime(started));
            metrics.LagIs(Lag(consumer));
        }
        catch (OffsetsTakenException e)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            Log.OffsetsTaken(logger, $"{e.Partition.Topic}/{e.Partition.Partition.Value}", e.Expected);
            metrics.Conflicted();
            // If it was our own commit whose answer was lost, its rows never reached the hot history.
            history.RequestFill();
            consumer.Unsubscribe();
            consumer.Subscribe(AggregateTopics);
        }

        batch.Clear();
    }

    IReadOnlyCollection<AggregateRow> WriteUntilDone(SinkBatch batch, List<OffsetAdvance> advances, CancellationToken stopping)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return database.Run(() => writer.Write(batch, advances), stopping);
            }
            catch (ConcurrentWriteException) when (attempt < MaxConflicts)
            {
                metrics.Conflicted();
                Pause.On(time, Random.Shared.NextDouble() * RetryPause, stopping);
            }
        }
    }

    long Lag(IConsumer<byte[]?, byte[]?> consumer)
    {
        var lag = 0L;
        foreach (var partition in assignment.Partitions)
        {
            var end = consumer.GetWatermarkOffsets(partition).High.Value;
            if (end >= 0) lag += Math.Max(0, end - assignment.Expected(partition));
        }

        return lag;
    }
}
