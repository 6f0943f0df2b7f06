using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// Reads a consumer's messages in batches, in place: spans over librdkafka's own memory instead of an object and two copies per record.
/// Rebalance, error and statistics handlers of the consumer run inside <see cref="Read"/>, on the caller's thread.
/// </summary>
/// <remarks>One thread. While a reader is in use nobody calls <c>Consume</c> on the consumer.</remarks>
sealed unsafe class BatchReader : IDisposable
{
    readonly SafeHandle _client;
    readonly nint _queue;
    readonly Librdkafka.Message** _messages;
    readonly int _capacity;

    /// <summary>A reader of a consumer's queue.</summary>
    /// <param name="consumer">The consumer; must outlive the reader.</param>
    /// <param name="capacity">Most messages of one batch.</param>
    public BatchReader(IClient consumer, int capacity)
    {
        _client = Librdkafka.HandleOf(consumer);
        _queue = Librdkafka.GetConsumerQueue(_client);
        _capacity = capacity;
        _messages = (Librdkafka.Message**)NativeMemory.Alloc((nuint)capacity, (nuint)sizeof(Librdkafka.Message*));
    }

    /// <summary>Messages of the last <see cref="Read"/>.</summary>
    public int Count { get; private set; }

    /// <summary>A message of the last batch, valid until <see cref="Release"/>.</summary>
    /// <param name="index">0 ≤ index &lt; <see cref="Count"/>.</param>
    public Librdkafka.Message* this[int index] => _messages[index];

    /// <summary>
    /// Takes what is there; when there is nothing, waits for the first message only (librdkafka itself would wait until the batch is full).
    /// </summary>
    /// <param name="timeout">Longest wait.</param>
    public void Read(TimeSpan timeout)
    {
        Count = (int)Librdkafka.ConsumeBatch(_queue, 0, _messages, (nuint)_capacity);
        if (Count > 0 || timeout <= TimeSpan.Zero) return;
        Count = (int)Librdkafka.ConsumeBatch(_queue, (int)timeout.TotalMilliseconds, _messages, 1);
        if (Count == 1) Count += (int)Librdkafka.ConsumeBatch(_queue, 0, _messages + 1, (nuint)(_capacity - 1));
    }

    /// <summary>Gives the batch back.</summary>
    public void Release()
    {
        for (var i = 0; i < Count; i++) Librdkafka.Destroy(_messages[i]);
        Count = 0;
    }

    /// <summary>Frees what the reader holds; the consumer goes on.</summary>
    public void Dispose()
    {
        Release();
        Librdkafka.DestroyQueue(_queue);
        NativeMemory.Free(_messages);
    }
}
