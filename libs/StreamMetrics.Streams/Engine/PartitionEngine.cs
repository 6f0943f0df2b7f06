namespace StreamMetrics.Streams;

/// <summary>What <see cref="PartitionEngine.CompleteRestore"/> found.</summary>
/// <param name="HasMeta">False when the state topic held nothing for the partition: it starts at the beginning.</param>
/// <param name="Position">Next input offset; must equal the committed one.</param>
/// <param name="Watermark">Largest log time seen, ms since the epoch.</param>
/// <param name="Records">State records read.</param>
public readonly record struct RestoreResult(bool HasMeta, long Position, long Watermark, long Records);

/// <summary>
/// The stream engine of one input partition: a pure function of its log. The same records give the same bytes whatever the batch sizes,
/// commit times, crashes and restores. No threads, no clock, no Kafka: one owner thread calls everything.
/// </summary>
/// <param name="partition">Input partition, ≥ 0.</param>
/// <param name="options">Options, valid (<see cref="EngineOptions.Validate"/>).</param>
/// <exception cref="ArgumentException">The options are not valid.</exception>
public sealed class PartitionEngine(int partition, EngineOptions options)
{
    /// <summary>Input partition.</summary>
    public int Partition { get; } = partition;

    /// <summary>The options.</summary>
    public EngineOptions Options { get; } = options;

    /// <summary>Offset of the next input record: that of the last one processed plus 1; 0 at first.</summary>
    public long Position => throw new NotImplementedException();

    /// <summary>Largest log time seen, ms since the epoch; 0 at first.</summary>
    public long Watermark => throw new NotImplementedException();

    /// <summary>True when a record was processed since the last commit.</summary>
    public bool HasChanges => throw new NotImplementedException();

    /// <summary>True when finals or corrections are ready: commit at once.</summary>
    public bool HasFinals => throw new NotImplementedException();

    /// <summary>True when dead letters or late records wait: commit within 100 ms.</summary>
    public bool HasUrgent => throw new NotImplementedException();

    /// <summary>
    /// Watermark at which the next final or correction is due: the smallest e + grace over open windows that hold events, or the next pane
    /// boundary when a correction is pending; null when there is neither. The idle clock record is to be stamped at this time or later.
    /// </summary>
    public long? NextFinalTime => throw new NotImplementedException();

    /// <summary>Counters since this engine was made.</summary>
    public EngineStatistics Statistics { get; } = new();

    /// <summary>Processes one record. Bad data never throws: it becomes a dead letter.</summary>
    /// <param name="record">The record; its bytes are not kept.</param>
    public void Process(in InputRecord record) => throw new NotImplementedException();

    /// <summary>Moves the watermark as <see cref="Process"/> does and dead-letters the record unread, for one whose processing failed repeatedly.</summary>
    /// <param name="record">The record.</param>
    /// <param name="reason">Code of <see cref="Contracts.ReasonCodes"/>.</param>
    /// <param name="message">The reason in words.</param>
    public void Reject(in InputRecord record, string reason, string message) => throw new NotImplementedException();

    /// <summary>
    /// Moves the watermark without a record, for the end of a bounded input (benchmarks, offline recomputation). Nothing in the log says
    /// so: a replay of the log does not repeat it. A running partition gets a clock record instead.
    /// </summary>
    /// <param name="logTime">New watermark, ms since the epoch; smaller ones change nothing.</param>
    public void MoveClock(long logTime) => throw new NotImplementedException();

    /// <summary>
    /// Writes everything since the last commit and forgets it: if the transaction fails, throw this engine away and restore another one.
    /// </summary>
    /// <param name="output">Receives it.</param>
    public void WriteCommit(IEngineOutput output) => throw new NotImplementedException();

    /// <summary>Takes one record of the state topic, in log order; before the first <see cref="Process"/>.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="value">Its value; empty for a tombstone.</param>
    /// <exception cref="StateCorruptedException">The record cannot be read.</exception>
    public void Restore(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => throw new NotImplementedException();

    /// <summary>Ends the restore: checks that the state is whole and makes the engine ready.</summary>
    /// <exception cref="StateCorruptedException">Records are missing or contradict each other.</exception>
    public RestoreResult CompleteRestore() => throw new NotImplementedException();

    /// <summary>
    /// Writes dirty series: their current sliding window and the newest window of each tumbling size. Neither waits for a commit nor
    /// causes one.
    /// </summary>
    /// <param name="output">Decides per series and receives the values.</param>
    /// <param name="lane">Which queue.</param>
    /// <param name="maxSeries">Most series to write.</param>
    /// <returns>Number of series written.</returns>
    public int WriteLive(ILiveOutput output, LiveLane lane, int maxSeries) => throw new NotImplementedException();

    /// <summary>Finds a series that is alive, to set <see cref="LiveSeries.Watched"/>.</summary>
    /// <param name="serviceId">The service.</param>
    /// <param name="metricName">The metric.</param>
    /// <param name="tagsHash">Tags hash; empty for the total.</param>
    public LiveSeries? Find(string serviceId, string metricName, string tagsHash) => throw new NotImplementedException();

    /// <summary>Makes every series and total dirty: what the live lane wrote is gone.</summary>
    public void RefreshLive() => throw new NotImplementedException();
}
