using System.Reflection;
using System.Runtime.InteropServices;

namespace StreamMetrics.Client.Kafka;

/// <summary>The few functions of librdkafka's C API (rdkafka.h) that <see cref="EventProducer"/> needs.</summary>
static unsafe partial class LibRdKafka
{
    public const int ProducerType = 0;
    public const int PartitionUnassigned = -1;
    public const int CopyPayload = 0x2;
    public const int PurgeQueuedAndInFlight = 0x1 | 0x2;

    public const int EventDelivery = 0x1;
    public const int EventLog = 0x4;
    public const int EventError = 0x8;
    public const int EventStatistics = 0x40;

    public const int ErrorFatal = -150;
    public const int ErrorQueueFull = -184;

    const string Library = "librdkafka";

    // The package carries several builds for Linux: with SASL, with few dependencies, for musl. The last name is a system-wide library's.
    static readonly string[] Candidates = [Library, "centos8-librdkafka", "alpine-librdkafka", "librdkafka.so.1"];

    static LibRdKafka() => NativeLibrary.SetDllImportResolver(typeof(LibRdKafka).Assembly, Resolve);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_conf_new();

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_destroy(nint conf);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rd_kafka_conf_set(nint conf, string name, string value, byte* error, nuint errorSize);

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_set_events(nint conf, int events);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_new(int type, nint conf, byte* error, nuint errorSize);

    [LibraryImport(Library)]
    public static partial void rd_kafka_destroy(nint client);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint rd_kafka_topic_new(nint client, string topic, nint conf);

    [LibraryImport(Library)]
    public static partial void rd_kafka_topic_destroy(nint topic);

    [LibraryImport(Library)]
    public static partial int rd_kafka_set_log_queue(nint client, nint queue);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_queue_get_main(nint client);

    [LibraryImport(Library)]
    public static partial void rd_kafka_queue_destroy(nint queue);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_queue_poll(nint queue, int timeoutMs);

    [LibraryImport(Library)]
    public static partial void rd_kafka_queue_yield(nint queue);

    [LibraryImport(Library)]
    public static partial int rd_kafka_event_type(nint @event);

    [LibraryImport(Library)]
    public static partial nuint rd_kafka_event_message_array(nint @event, Message** messages, nuint size);

    [LibraryImport(Library)]
    public static partial int rd_kafka_event_error(nint @event);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_event_error_string(nint @event);

    [LibraryImport(Library)]
    public static partial int rd_kafka_event_log(nint @event, nint* facility, nint* text, int* level);

    [LibraryImport(Library)]
    public static partial void rd_kafka_event_destroy(nint @event);

    [LibraryImport(Library)]
    public static partial int rd_kafka_produce(
        nint topic, int partition, int flags, byte* payload, nuint length, byte* key, nuint keyLength, nint opaque);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_produceva(nint client, Argument* arguments, nuint count);

    [LibraryImport(Library)]
    public static partial int rd_kafka_error_code(nint error);

    [LibraryImport(Library)]
    public static partial void rd_kafka_error_destroy(nint error);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_event_stats(nint @event);

    [LibraryImport(Library)]
    public static partial int rd_kafka_last_error();

    [LibraryImport(Library)]
    public static partial int rd_kafka_fatal_error(nint client, byte* error, nuint errorSize);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_err2str(int error);

    [LibraryImport(Library)]
    public static partial int rd_kafka_outq_len(nint client);

    [LibraryImport(Library)]
    public static partial int rd_kafka_purge(nint client, int flags);

    public static string Text(nint utf8) => Marshal.PtrToStringUTF8(utf8) ?? "";

    static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library) return 0;
        foreach (var candidate in Candidates)
        {
            if (NativeLibrary.TryLoad(candidate, assembly, path, out var handle)) return handle;
        }

        throw new DllNotFoundException($"librdkafka was not found; tried {string.Join(", ", Candidates)}. The package librdkafka.redist has it.");
    }

    /// <summary><c>rd_kafka_vu_t</c>: the kind of an argument (<c>rd_kafka_vtype_t</c>), and a union that is padded to 64 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    public struct Argument
    {
        public const int Topic = 2;
        public const int Partition = 3;
        public const int Value = 4;
        public const int Key = 5;
        public const int Opaque = 6;
        public const int Flags = 7;
        public const int Header = 9;

        [FieldOffset(0)]
        public int Kind;

        /// <summary>A pointer; of a header, its name.</summary>
        [FieldOffset(8)]
        public nint Pointer;

        [FieldOffset(8)]
        public int Number;

        /// <summary>Length of what <see cref="Pointer"/> points at.</summary>
        [FieldOffset(16)]
        public nuint Length;

        [FieldOffset(16)]
        public nint HeaderValue;

        [FieldOffset(24)]
        public nint HeaderLength;
    }

    /// <summary><c>rd_kafka_message_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Message
    {
        public int Error;
        public nint Topic;
        public int Partition;
        public nint Payload;
        public nuint Length;
        public nint Key;
        public nuint KeyLength;
        public long Offset;
        public nint Opaque;
    }
}
