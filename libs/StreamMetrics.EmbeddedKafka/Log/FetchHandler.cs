namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// Fetch v4-16, without sessions: session id 0 in the answer tells the client to send full fetches, and a full answer names every
/// partition asked for. Waits until min_bytes can be read, a partition has an error, or max_wait has passed.
/// </summary>
internal static class FetchHandler
{
    /// <summary>Kafka's fetch.max.bytes: no answer holds more records, but for a single larger batch.</summary>
    const int MaxFetchBytes = 55 << 20;

    readonly record struct Wanted(Topic? Topic, Guid TopicId, string? Name, int Partition, PartitionLog? Log, int LeaderEpoch, long Offset, int MaxBytes, bool IsFirstOfTopic);

    sealed class Parsed
    {
        public int MaxWaitMs, MinBytes, MaxBytes, SessionId, TopicCount;
        public bool CommittedOnly;
        public List<Wanted> Wanted { get; } = [];
        public List<int> PartitionCounts { get; } = [];
    }

    public static async ValueTask HandleAsync(Request request)
    {
        var fetch = Parse(request);
        if (fetch.SessionId != 0)
        {
            WriteHeader(request, ErrorCode.FetchSessionIdNotFound);
            request.Response.ArrayLength(0);
            request.Response.Tags();
            return;
        }

        var waiter = request.Waiter;
        var started = request.Broker.Time.GetTimestamp();
        while (true)
        {
            // Armed before looking, so that what is appended after the look is not missed.
            waiter.Arm();
            if (fetch.MaxWaitMs <= 0 || IsReady(fetch)) break;
            var left = fetch.MaxWaitMs - request.Broker.Time.GetElapsedTime(started).TotalMilliseconds;
            if (left <= 0 || request.Closed.IsCancellationRequested) break;
            Subscribe(waiter, fetch);
            if (IsReady(fetch)) break;
            await waiter.WaitAsync(TimeSpan.FromMilliseconds(left), request.Closed).ConfigureAwait(false);
        }

        waiter.Disarm();
        Write(request, fetch);
    }

    static Parsed Parse(Request request)
    {
        var r = request.Reader();
        var v = request.Version;
        var fetch = new Parsed();
        if (v <= 14) r.Int32();
        (fetch.MaxWaitMs, fetch.MinBytes, fetch.MaxBytes, fetch.CommittedOnly) = (r.Int32(), r.Int32(), r.Int32(), r.Byte() == 1);
        fetch.MaxBytes = Math.Min(fetch.MaxBytes, MaxFetchBytes);
        if (v >= 7) (fetch.SessionId, _) = (r.Int32(), r.Int32());
        fetch.TopicCount = r.ArrayLength();
        for (var topics = fetch.TopicCount; topics > 0; topics--)
        {
            var id = v >= 13 ? r.Uuid() : default;
            var nameBytes = v >= 13 ? default : r.StringBytes();
            var topic = v >= 13 ? request.Broker.Topics.Find(id) : request.Broker.Topics.Find(nameBytes);
            var name = topic?.Name ?? System.Text.Encoding.UTF8.GetString(nameBytes);
            var partitions = r.ArrayLength();
            fetch.PartitionCounts.Add(partitions);
            for (var i = 0; i < partitions; i++)
            {
                var index = r.Int32();
                var epoch = v >= 9 ? r.Int32() : -1;
                var offset = r.Int64();
                if (v >= 12) r.Int32();
                if (v >= 5) r.Int64();
                fetch.Wanted.Add(new(topic, id, name, index, topic?.Find(index), epoch, offset, r.Int32(), i == 0));
                r.Tags();
            }

            r.Tags();
        }

        return fetch;
    }

    static bool IsReady(Parsed fetch)
    {
        if (fetch.Wanted.Count == 0) return true;
        long available = 0;
        foreach (var wanted in fetch.Wanted)
        {
            if (wanted.Log is null || wanted.LeaderEpoch > 0) return true;
            var bytes = wanted.Log.Available(wanted.Offset, fetch.CommittedOnly);
            if (bytes < 0) return true;
            available += Math.Min(bytes, wanted.MaxBytes);
        }

        return available >= fetch.MinBytes;
    }

    /// <summary>The most that the answer can hold: a partition without records takes no part of it.</summary>
    static int Wish(Parsed fetch)
    {
        long wish = 0;
        foreach (var wanted in fetch.Wanted)
        {
            if (wanted.Log?.Available(wanted.Offset, fetch.CommittedOnly) > 0) wish += Math.Max(0, wanted.MaxBytes);
        }

        return (int)Math.Clamp(wish, 0, Math.Max(0, fetch.MaxBytes));
    }

    static void Subscribe(FetchWaiter waiter, Parsed fetch)
    {
        waiter.StartRound();
        foreach (var wanted in fetch.Wanted)
        {
            if (wanted.Log is not null) waiter.Subscribe(wanted.Log);
        }

        waiter.EndRound();
    }

    static void WriteHeader(Request request, ErrorCode error)
    {
        var w = request.Response;
        w.Int32(0);
        if (request.Version < 7) return;
        w.Error(error);
        w.Int32(0);
    }

    static void Write(Request request, Parsed fetch)
    {
        var w = request.Response;
        WriteHeader(request, ErrorCode.None);
        w.ArrayLength(fetch.TopicCount);
        var left = request.HeldBytes = request.Broker.Memory.TakeUpTo(Wish(fetch));
        var (next, sent) = (0, 0);
        foreach (var count in fetch.PartitionCounts)
        {
            if (request.Version >= 13) w.Uuid(count > 0 ? fetch.Wanted[next].TopicId : default);
            else w.String(count > 0 ? fetch.Wanted[next].Name : "");
            w.ArrayLength(count);
            for (var i = 0; i < count; i++, next++)
            {
                var bytes = WritePartition(request, fetch.Wanted[next], fetch.CommittedOnly, left, isFirst: sent == 0);
                left -= bytes;
                sent += bytes;
            }

            w.Tags();
        }

        w.Tags();
    }

    static int WritePartition(Request request, in Wanted wanted, bool committedOnly, int left, bool isFirst)
    {
        var (w, v) = (request.Response, request.Version);
        var maxBytes = Math.Max(0, Math.Min(left, wanted.MaxBytes));
        var view = View(wanted, committedOnly, maxBytes, v);
        w.Int32(wanted.Partition);
        w.Error(view.Error);
        w.Int64(view.EndOffset);
        w.Int64(view.LastStableOffset);
        if (v >= 5) w.Int64(view.StartOffset);
        w.ArrayLength(view.Aborted?.Count ?? -1);
        foreach (var aborted in view.Aborted ?? [])
        {
            w.Int64(aborted.ProducerId);
            w.Int64(aborted.FirstOffset);
            w.Tags();
        }

        if (v >= 11) w.Int32(-1);
        var size = WriteRecords(w, wanted.Log, ref view, maxBytes, isFirst);
        w.Tags();
        return size;
    }

    /// <summary>
    /// The records with their length before them. A compact length has a size of its own that is known only after reading, so room is left for the
    /// size of the longest possible, and the rare shorter one moves the records.
    /// </summary>
    static int WriteRecords(WireWriter w, PartitionLog? log, ref FetchView view, int maxBytes, bool isFirst)
    {
        var start = w.Length;
        if (!w.Flexible)
        {
            w.Int32(0);
            var length = log?.CopyBatches(ref view, w, maxBytes, isFirst) ?? 0;
            w.PatchInt32(start, length);
            return length;
        }

        if (view.Segment is null || log is null)
        {
            w.Bytes([]);
            return 0;
        }

        var reserved = VarintSize((uint)Math.Min(maxBytes, view.Segment.Size) + 1);
        w.Room(reserved);
        w.Advance(reserved);
        var size = log.CopyBatches(ref view, w, maxBytes, isFirst);
        var needed = VarintSize((uint)size + 1);
        w.Move(start + reserved, start + needed, size);
        w.Truncate(start);
        w.UnsignedVarint((uint)size + 1);
        w.Advance(size);
        return size;
    }

    static int VarintSize(uint value) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : value < 1 << 28 ? 4 : 5;

    static FetchView View(in Wanted wanted, bool committedOnly, int maxBytes, short version)
    {
        var error = wanted.Topic is null && version >= 13 ? ErrorCode.UnknownTopicId
            : wanted.Log is null ? ErrorCode.UnknownTopicOrPartition
            : wanted.LeaderEpoch > 0 ? ErrorCode.UnknownLeaderEpoch
            : ErrorCode.None;
        return error == ErrorCode.None
            ? wanted.Log!.View(wanted.Offset, committedOnly, maxBytes)
            : new() { Error = error, EndOffset = -1, LastStableOffset = -1, StartOffset = -1 };
    }
}
