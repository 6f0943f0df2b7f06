using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace StreamMetrics.Client.Events;

/// <summary>
/// All that the events of one series (name, unit, type, tag set) have in common, serialised once, and the running figures of an
/// instrument that is written at flushes only.
/// </summary>
sealed class Series
{
    static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    double _pending;
    double _last;
    int _isSet;

    Series(byte[] beforeValue, byte[] afterValue, bool isChanged)
    {
        BeforeValue = beforeValue;
        AfterValue = afterValue;
        IsChanged = isChanged;
    }

    /// <summary>No event of it is longer, bytes. The limits of names and tags keep it below <see cref="Contracts.EventLimits.MaxMessageBytes"/>.</summary>
    public int MaxEventLength => EventWriter.FixedLength + BeforeValue.Length + AfterValue.Length;

    /// <summary><c>,"serviceId":…,"value":</c>.</summary>
    public byte[] BeforeValue { get; }

    /// <summary><c>,"unit":…,"tags":{…}</c>.</summary>
    public byte[] AfterValue { get; }

    /// <summary>Whether something had to be changed to fit the limits of an event.</summary>
    public bool IsChanged { get; }

    public static Series Create(EventSource source, string name, string? unit, string? type, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var changed = false;
        var metricType = EventText.Type(type, ref changed);
        var metricName = EventText.Name(name, ref changed);
        var metricUnit = EventText.Unit(unit, ref changed);
        var text = EventText.Tags(tags, source.Tags, ref changed);
        var before = Members(json =>
        {
            json.WriteString("serviceId", source.ServiceId);
            if (source.InstanceId.Length > 0) json.WriteString("instanceId", source.InstanceId);
            json.WriteString("metricType", metricType);
            json.WriteString("metricName", metricName);
        });
        var after = Members(json =>
        {
            json.WriteString("unit", metricUnit);
            if (text.Count == 0) return;
            json.WriteStartObject("tags");
            foreach (var (key, value) in text) json.WriteString(key, value);
            json.WriteEndObject();
        });
        return new([.. before, .. ",\"value\":"u8], after, changed);
    }

    /// <summary>Adds to the delta of the current flush interval.</summary>
    public void Add(double delta)
    {
        double seen, sum;
        do
        {
            seen = Volatile.Read(ref _pending);
            sum = seen + delta;
        }
        while (BitConverter.DoubleToInt64Bits(Interlocked.CompareExchange(ref _pending, sum, seen)) != BitConverter.DoubleToInt64Bits(seen));
        Volatile.Write(ref _isSet, 1);
    }

    /// <summary>Remembers the newest value.</summary>
    public void Set(double value)
    {
        Volatile.Write(ref _pending, value);
        Volatile.Write(ref _isSet, 1);
    }

    /// <summary>Takes the delta of the interval, once.</summary>
    public bool TryTakeDelta(out double delta)
    {
        var isSet = Interlocked.Exchange(ref _isSet, 0) != 0;
        delta = isSet ? Interlocked.Exchange(ref _pending, 0) : 0;
        return isSet;
    }

    /// <summary>The newest value, if one came since the last call.</summary>
    public bool TryTakeLast(out double value)
    {
        var isSet = Interlocked.Exchange(ref _isSet, 0) != 0;
        value = Volatile.Read(ref _pending);
        return isSet;
    }

    /// <summary>The total of all that was added, when anything ever was.</summary>
    public bool TryReadTotal(out double value)
    {
        value = Volatile.Read(ref _pending);
        return Volatile.Read(ref _isSet) != 0;
    }

    /// <summary>The increment since the last call, of a total; a total that fell began anew. Only the flush calls it.</summary>
    public double Increment(double total)
    {
        var increment = total < _last ? total : total - _last;
        _last = total;
        return increment;
    }

    /// <summary>Members of a JSON object, a comma before each.</summary>
    static byte[] Members(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, JsonOptions))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        // {"a":1} → ,"a":1
        var bytes = buffer.WrittenSpan[..^1].ToArray();
        bytes[0] = (byte)',';
        return bytes;
    }
}

/// <summary>Whose events they are.</summary>
/// <param name="ServiceId">The service.</param>
/// <param name="InstanceId">Its instance; empty: none.</param>
/// <param name="Tags">Tags that every event gets.</param>
sealed record EventSource(string ServiceId, string InstanceId, IReadOnlyList<KeyValuePair<string, string>> Tags);
