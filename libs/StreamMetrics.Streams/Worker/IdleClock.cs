using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// Closes windows when no traffic does: appends a clock record (null key, null value, header <c>sm-clock</c>) to a partition whose next final
/// is due. The broker stamps it, so that the close is in the log and every replay repeats it. Not in a transaction: an open one would hold up
/// all readers of the events.
/// </summary>
/// <remarks>Owned by the worker's thread; acknowledgements come on the client's.</remarks>
sealed class IdleClock : IDisposable
{
    /// <summary>Time past the due time before a record is appended: an event that is on its way does it for nothing.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);

    static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);
    static readonly Message<byte[], byte[]> Record = new() { Key = null!, Value = null!, Headers = [new Header(KafkaHeaders.Clock, Encoding.UTF8.GetBytes("1"))] };

    readonly ProducerConfig _config;
    readonly Dictionary<int, Slot> _slots = [];
    readonly TimeProvider _time;
    readonly ILogger _logger;
    IProducer<byte[], byte[]> _producer;
    volatile bool _broken;

    /// <summary>Creates the client.</summary>
    /// <param name="options">Options.</param>
    /// <param name="instance">Name of the worker.</param>
    /// <param name="time">Wall clock.</param>
    /// <param name="logger">Log.</param>
    public IdleClock(WorkerOptions options, string instance, TimeProvider time, ILogger logger)
    {
        (_time, _logger) = (time, logger);
        _config = ClientSettings.Idempotent(options, $"streammetrics-clock-{instance}");
        _config.DeliveryReportFields = "timestamp,status";
        _config.LingerMs = 0;
        _producer = Build();
    }

    /// <summary>Appends a clock record when one is due and the last one has been seen.</summary>
    /// <param name="engine">Engine of the partition.</param>
    /// <param name="endOfLog">End of the input log as far as known; asked only when a record is due.</param>
    public void Turn(PartitionEngine engine, Func<int, long> endOfLog)
    {
        if (engine.NextFinalTime is not { } due) return;
        var now = _time.GetUtcNow();
        if (now < DateTimeOffset.FromUnixTimeMilliseconds(due) + Patience) return;
        if (!_slots.TryGetValue(engine.Partition, out var slot)) _slots[engine.Partition] = slot = new();
        if (now < slot.NotBefore || Volatile.Read(ref slot.Pending) || engine.Position <= Volatile.Read(ref slot.Offset)) return;
        if (endOfLog(engine.Partition) != engine.Position) return;
        Append(engine.Partition, slot, due);
    }

    /// <summary>Closes the client; a record on its way is not waited for.</summary>
    public void Dispose() => _producer.Dispose();

    IProducer<byte[], byte[]> Build() => new ProducerBuilder<byte[], byte[]>(_config)
        .SetErrorHandler(static (_, _) => { }) // acknowledgements tell
        .SetLogHandler(static (_, _) => { })
        .Build();

    void Append(int partition, Slot slot, long due)
    {
        if (_broken) Replace();
        Volatile.Write(ref slot.Pending, true);
        try
        {
            _producer.Produce(new TopicPartition(Topics.Events, partition), Record, report => Acknowledged(partition, slot, due, report));
        }
        catch (KafkaException e)
        {
            Retry(partition, slot, e.Error);
        }
    }

    void Acknowledged(int partition, Slot slot, long due, DeliveryReport<byte[], byte[]> report)
    {
        if (report.Error.IsError)
        {
            Retry(partition, slot, report.Error);
            return;
        }

        // The broker's clock decides: if it is behind ours, wait for the difference.
        var early = due - report.Timestamp.UnixTimestampMs;
        if (early > 0) slot.NotBefore = _time.GetUtcNow() + TimeSpan.FromMilliseconds(early);
        Volatile.Write(ref slot.Offset, report.Offset.Value);
        Volatile.Write(ref slot.Pending, false);
    }

    /// <summary>An idempotent producer that lost count of its records (say, to a broker that was restored) never sends again; a new one starts over.</summary>
    void Replace()
    {
        _broken = false;
        _producer.Dispose();
        _producer = Build();
    }

    void Retry(int partition, Slot slot, Error error)
    {
        if (error.IsFatal) _broken = true;
        Log.ClockFailed(_logger, partition, error.Reason);
        slot.NotBefore = _time.GetUtcNow() + RetryPause;
        Volatile.Write(ref slot.Pending, false);
    }

    sealed class Slot
    {
        /// <summary>True from the append until the answer.</summary>
        public bool Pending;

        /// <summary>Offset of the last clock record; the engine must have passed it before the next one.</summary>
        public long Offset = -1;

        /// <summary>Written before <see cref="Pending"/> is cleared, read after it was seen clear.</summary>
        public DateTimeOffset NotBefore;
    }
}
