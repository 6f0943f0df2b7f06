using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;
using Aggregate = StreamMetrics.Contracts.Aggregate;

namespace StreamMetrics.Query.Stores;

/// <summary>
/// Reads members of a sorted set <c>history:*</c> (docs/formats/redis.md): a stored window's JSON, sketch and revision with it. An hour is sixty of
/// them, so they are read by hand: the serialiser, which boxes the fields of records with required properties, takes twice the time and five times the
/// memory. Neighbours share their texts and tags, and a sketch stays text until somebody asks for it. One instance per history; not safe for concurrent use.
/// </summary>
/// <param name="key">Whose history it is.</param>
/// <param name="window">Its window.</param>
sealed class RedisHistory(HotKey key, QueryWindow window)
{
    // In the order in which they are written, so that the next name is nearly always the expected one.
    enum Field
    {
        ServiceId, MetricName, MetricType, Unit, Scope, Tags, Window, Start, End, Kind, Count, Sum, Avg, Min, Max, P50, P95, P99, Rate, Last, LastTime, Errors, Exemplar, MaxRelativeError,
        Late, Partition, AsOfOffset, Revision, Sketch,
    }

    static readonly byte[][] Names = Array.ConvertAll(Enum.GetNames<Field>(), n => Encoding.UTF8.GetBytes(JsonNamingPolicy.CamelCase.ConvertName(n)));

    // Service, metric and window are those of the key, and what is in a history is final.
    static readonly int Required = (Bit(Field.Sketch) << 1) - 1 - Bit(Field.ServiceId) - Bit(Field.MetricName) - Bit(Field.Window) - Bit(Field.Kind)
        - Bit(Field.Exemplar) - Bit(Field.Revision) - Bit(Field.Sketch);

    string _metricType = "";
    string _unit = "";
    byte[] _tagsJson = [];
    IReadOnlyDictionary<string, string> _tags = new Dictionary<string, string>();

    /// <exception cref="FormatException">The member is unreadable.</exception>
    public StoredWindow Read(RedisValue member)
    {
        var json = (ReadOnlyMemory<byte>)member;
        try
        {
            return Read(json);
        }
        // InvalidOperationException: a value is of another kind, a text where a number should be.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            throw new FormatException($"unreadable member in the history {window.Name} of {key}: {exception.Message}", exception);
        }
    }

    StoredWindow Read(ReadOnlyMemory<byte> json)
    {
        var reader = new Utf8JsonReader(json.Span);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new FormatException("it is no object");
        var fields = default(Fields);
        var expected = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var index = Find(ref reader, expected);
            reader.Read();
            if (index < 0 || reader.TokenType == JsonTokenType.Null)
            {
                reader.Skip();
                continue;
            }

            expected = index + 1;
            fields.Seen |= 1 << index;
            ReadField(ref reader, json, (Field)index, ref fields);
        }

        if (reader.BytesConsumed != json.Length) throw new FormatException("something follows it");
        if ((fields.Seen & Required) != Required) throw new FormatException($"'{Encoding.UTF8.GetString(Names[int.TrailingZeroCount(~fields.Seen & Required)])}' is missing");
        return new(ToAggregate(fields), key.TagsHash, fields.Revision ?? 1, DataSource.Hot) { SketchText = fields.Sketch };
    }

    static int Find(ref Utf8JsonReader reader, int expected)
    {
        if (expected < Names.Length && reader.ValueTextEquals(Names[expected])) return expected;
        for (var i = 0; i < Names.Length; i++)
        {
            if (reader.ValueTextEquals(Names[i])) return i;
        }

        return -1;
    }

    void ReadField(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json, Field field, ref Fields fields)
    {
        switch (field)
        {
            case Field.MetricType: _metricType = Text(ref reader, _metricType); break;
            case Field.Unit: _unit = Text(ref reader, _unit); break;
            case Field.Scope: fields.IsTotal = reader.ValueTextEquals("total"u8); break;
            case Field.Tags: ReadTags(ref reader, json.Span); break;
            case Field.Start: fields.Start = reader.GetInt64(); break;
            case Field.End: fields.End = reader.GetInt64(); break;
            case Field.Count: fields.Count = reader.GetInt64(); break;
            case Field.Sum: fields.Sum = reader.GetDouble(); break;
            case Field.Avg: fields.Avg = reader.GetDouble(); break;
            case Field.Min: fields.Min = reader.GetDouble(); break;
            case Field.Max: fields.Max = reader.GetDouble(); break;
            case Field.P50: fields.P50 = reader.GetDouble(); break;
            case Field.P95: fields.P95 = reader.GetDouble(); break;
            case Field.P99: fields.P99 = reader.GetDouble(); break;
            case Field.Rate: fields.Rate = reader.GetDouble(); break;
            case Field.Last: fields.Last = reader.GetDouble(); break;
            case Field.LastTime: fields.LastTime = reader.GetInt64(); break;
            case Field.Errors: fields.Errors = reader.GetInt64(); break;
            case Field.Exemplar: fields.Exemplar = ReadExemplar(ref reader); break;
            case Field.MaxRelativeError: fields.MaxRelativeError = reader.GetDouble(); break;
            case Field.Late: fields.Late = reader.GetInt64(); break;
            case Field.Partition: fields.Partition = reader.GetInt32(); break;
            case Field.AsOfOffset: fields.AsOfOffset = reader.GetInt64(); break;
            case Field.Revision: fields.Revision = reader.GetInt64(); break;
            case Field.Sketch: fields.Sketch = ReadBase64(ref reader, json); break;
            default: reader.Skip(); break;
        }
    }

    static string Text(ref Utf8JsonReader reader, string last) => reader.ValueTextEquals(last) ? last : reader.GetString()!;

    void ReadTags(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        var from = (int)reader.TokenStartIndex;
        reader.Skip();
        var tags = json[from..(int)reader.BytesConsumed];
        if (tags.SequenceEqual(_tagsJson)) return;
        _tags = JsonSerializer.Deserialize(tags, ContractsJson.Default.IReadOnlyDictionaryStringString)!;
        _tagsJson = tags.ToArray();
    }

    static Exemplar ReadExemplar(ref Utf8JsonReader reader)
    {
        string? traceId = null, spanId = null;
        double? value = null;
        long? time = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isTrace, isSpan, isValue, isTime) = (reader.ValueTextEquals("traceId"u8), reader.ValueTextEquals("spanId"u8), reader.ValueTextEquals("value"u8), reader.ValueTextEquals("time"u8));
            reader.Read();
            if (isTrace) traceId = reader.GetString();
            else if (isSpan) spanId = reader.GetString();
            else if (isValue) value = reader.GetDouble();
            else if (isTime) time = reader.GetInt64();
            else reader.Skip();
        }

        return traceId is not null && value is not null && time is not null ? new(traceId, spanId, value.Value, time.Value) : throw new FormatException("'exemplar' is incomplete");
    }

    // Between the quotation marks. Base64 needs no escaping; what is escaped all the same is undone at once.
    static ReadOnlyMemory<byte> ReadBase64(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json)
    {
        if (reader.TokenType != JsonTokenType.String) throw new FormatException("'sketch' is no text");
        var text = reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : json.Slice((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
        return Base64.IsValid(text.Span) ? text : throw new FormatException("'sketch' is no base64");
    }

    Aggregate ToAggregate(in Fields f) => new()
    {
        ServiceId = key.ServiceId,
        MetricName = key.MetricName,
        MetricType = _metricType,
        Unit = _unit,
        Scope = f.IsTotal ? AggregateScope.Total : AggregateScope.Series,
        Tags = _tags,
        Window = window.Name,
        Start = f.Start,
        End = f.End,
        Kind = AggregateKind.Final,
        Count = f.Count,
        Sum = f.Sum,
        Avg = f.Avg,
        Min = f.Min,
        Max = f.Max,
        P50 = f.P50,
        P95 = f.P95,
        P99 = f.P99,
        Rate = f.Rate,
        Last = f.Last,
        LastTime = f.LastTime,
        Errors = f.Errors,
        Exemplar = f.Exemplar,
        MaxRelativeError = f.MaxRelativeError,
        Late = f.Late,
        Partition = f.Partition,
        AsOfOffset = f.AsOfOffset,
    };

    static int Bit(Field field) => 1 << (int)field;

    struct Fields
    {
        public int Seen, Partition;
        public bool IsTotal;
        public long Start, End, Count, LastTime, Errors, Late, AsOfOffset;
        public long? Revision;
        public double Sum, Avg, Min, Max, P50, P95, P99, Rate, Last, MaxRelativeError;
        public Exemplar? Exemplar;
        public ReadOnlyMemory<byte> Sketch;
    }
}
