using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// The few functions of librdkafka that Confluent.Kafka does not offer: reading whole batches without a copy and an object per record, and
/// waiting for a connection.
/// Declarations follow rdkafka.h of librdkafka 2.x; the library is the very copy that Confluent.Kafka has loaded.
/// </summary>
static unsafe partial class Librdkafka
{
    /// <summary>Before 2.1 batch reads could lose messages around pause, seek and rebalance (librdkafka's change log, 2.1.0).</summary>
    const int OldestVersion = 0x02010000;

    const string Name = "librdkafka";

    static Librdkafka() => NativeLibrary.SetDllImportResolver(typeof(Librdkafka).Assembly, Resolve);

    /// <summary>The native handle of a client.</summary>
    /// <param name="client">Consumer or producer of Confluent.Kafka.</param>
    /// <exception cref="FatalWorkerException">The library is older than 2.1.</exception>
    public static SafeHandle HandleOf(IClient client)
    {
        if (Version() < OldestVersion)
            throw new FatalWorkerException($"librdkafka {Library.VersionString} is too old: reading in batches needs 2.1 or newer.");
        return NativeHandle(client.Handle);
    }

    /// <summary>
    /// Waits until a broker has answered, or the time is over: what is asked of a client without any connection is asked again half a second
    /// later. There is no outcome, since the request that follows reports its own failure.
    /// </summary>
    /// <param name="client">Consumer or producer of Confluent.Kafka.</param>
    /// <param name="timeout">Longest wait.</param>
    public static void AwaitBroker(IClient client, TimeSpan timeout)
    {
        nint metadata = 0;
        if (Metadata(HandleOf(client), allTopics: 0, topic: 0, &metadata, (int)timeout.TotalMilliseconds) == ErrorCode.NoError) DestroyMetadata(metadata);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_LibrdkafkaHandle")]
    [return: UnsafeAccessorType("Confluent.Kafka.Impl.SafeKafkaHandle, Confluent.Kafka")]
    static extern object LibrdkafkaHandle(Handle handle);

    static SafeHandle NativeHandle(Handle handle) => (SafeHandle)LibrdkafkaHandle(handle);

    // Confluent.Kafka takes the first of these that loads (the plain one needs libsasl2.so.3, the second needs nothing, the last is for musl);
    // the same order here leads to the same copy, which the system loads only once.
    static nint Resolve(string library, Assembly assembly, DllImportSearchPath? path)
    {
        if (library != Name) return 0;
        var musl = RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal);
        ReadOnlySpan<string> candidates = musl ? ["alpine-librdkafka"] : [Name, "centos8-librdkafka"];
        foreach (var candidate in candidates)
        {
            if (NativeLibrary.TryLoad(candidate, assembly, path, out var handle)) return handle;
        }

        return 0;
    }

    /// <summary>A message as librdkafka lays it out (<c>rd_kafka_message_t</c>).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Message
    {
        public ErrorCode Error;
        public nint Topic;
        public int Partition;
        public byte* Value;
        public nuint ValueLength;
        public byte* Key;
        public nuint KeyLength;
        public long Offset;
        public nint Private;
    }

    [LibraryImport(Name, EntryPoint = "rd_kafka_version")]
    private static partial int Version();

    /// <summary>With no topic and not all of them: the brokers only.</summary>
    [LibraryImport(Name, EntryPoint = "rd_kafka_metadata")]
    private static partial ErrorCode Metadata(SafeHandle client, int allTopics, nint topic, nint* metadata, int timeoutMs);

    [LibraryImport(Name, EntryPoint = "rd_kafka_metadata_destroy")]
    private static partial void DestroyMetadata(nint metadata);

    [LibraryImport(Name, EntryPoint = "rd_kafka_queue_get_consumer")]
    public static partial nint GetConsumerQueue(SafeHandle client);

    [LibraryImport(Name, EntryPoint = "rd_kafka_queue_destroy")]
    public static partial void DestroyQueue(nint queue);

    [LibraryImport(Name, EntryPoint = "rd_kafka_consume_batch_queue")]
    public static partial nint ConsumeBatch(nint queue, int timeoutMs, Message** messages, nuint size);

    [LibraryImport(Name, EntryPoint = "rd_kafka_message_destroy")]
    public static partial void Destroy(Message* message);

    [LibraryImport(Name, EntryPoint = "rd_kafka_message_timestamp")]
    [SuppressGCTransition]
    public static partial long Timestamp(Message* message, int* type);

    /// <summary>Parses the headers on first use; the answer is an error code, 0 when there are any.</summary>
    [LibraryImport(Name, EntryPoint = "rd_kafka_message_headers")]
    [SuppressGCTransition]
    public static partial int Headers(Message* message, nint* headers);

    [LibraryImport(Name, EntryPoint = "rd_kafka_header_get_last")]
    [SuppressGCTransition]
    public static partial int LastHeader(nint headers, byte* name, byte** value, nuint* size);

    [LibraryImport(Name, EntryPoint = "rd_kafka_message_errstr")]
    private static partial byte* ErrorText(Message* message);

    /// <summary>Text of the error that stands in place of a record.</summary>
    /// <param name="message">A message with <see cref="Message.Error"/> set.</param>
    public static string ErrorOf(Message* message) => Marshal.PtrToStringUTF8((nint)ErrorText(message)) ?? message->Error.ToString();
}
