using System.Text.Json;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;
using Aggregate = StreamMetrics.Contracts.Aggregate;

namespace StreamMetrics.Query.Stores;

/// <summary>Reads the hash <c>metrics:*</c> (docs/formats/redis.md): an aggregate's fields under their JSON names, the sketch as raw bytes.</summary>
static class RedisAggregate
{
    static readonly RedisValue[] Fields =
    [
        "metricType", "unit", "scope", "tags", "start", "end", "kind", "count", "sum", "avg", "min", "max", "p50", "p95", "p99", "rate",
        "last", "lastTime", "errors", "exemplar", "maxRelativeError", "late", "partition", "offset", "asOf",
    ];

    static readonly RedisValue[] FieldsAndSketch = [.. Fields, "sketch"];

    public static RedisValue[] FieldsToRead(bool withSketch) => withSketch ? FieldsAndSketch : Fields;

    /// <summary>Null when the hash does not exist.</summary>
    /// <exception cref="FormatException">A field is missing or unreadable.</exception>
    public static StoredWindow? Read(HotKey key, QueryWindow window, RedisValue[] values)
    {
        if (Array.TrueForAll(values, v => v.IsNull)) return null;
        var field = new FieldReader(key, window, values);
        var aggregate = new Aggregate
        {
            ServiceId = key.ServiceId,
            MetricName = key.MetricName,
            Window = window.Name,
            MetricType = field.Text(0),
            Unit = field.Text(1),
            Scope = field.Text(2) == "total" ? AggregateScope.Total : AggregateScope.Series,
            Tags = field.Json(3, ContractsJson.Default.IReadOnlyDictionaryStringString) ?? new Dictionary<string, string>(),
            Start = field.Integer(4),
            End = field.Integer(5),
            Kind = field.Text(6) == "final" ? AggregateKind.Final : AggregateKind.Provisional,
            Count = field.Integer(7),
            Sum = field.Number(8),
            Avg = field.Number(9),
            Min = field.Number(10),
            Max = field.Number(11),
            P50 = field.Number(12),
            P95 = field.Number(13),
            P99 = field.Number(14),
            Rate = field.Number(15),
            Last = field.Number(16),
            LastTime = field.Integer(17),
            Errors = field.Integer(18),
            Exemplar = field.Json(19, ContractsJson.Default.Exemplar),
            MaxRelativeError = field.Number(20),
            Late = field.Integer(21),
            Partition = (int)field.Integer(22),
            AsOfOffset = field.Integer(23),
            Sketch = values.Length > Fields.Length ? field.Bytes(Fields.Length) : null,
        };
        return new(aggregate, key.TagsHash, aggregate.Kind == AggregateKind.Final ? 1 : 0, DataSource.Hot, field.Integer(24));
    }

    readonly struct FieldReader(HotKey key, QueryWindow window, RedisValue[] values)
    {
        public string Text(int index) => values[index].IsNull ? throw Bad(index) : values[index].ToString();

        public long Integer(int index) => values[index].TryParse(out long value) ? value : throw Bad(index);

        public double Number(int index) => values[index].TryParse(out double value) ? value : throw Bad(index);

        public byte[] Bytes(int index) => values[index].IsNull ? throw Bad(index) : (byte[])values[index]!;

        public T? Json<T>(int index, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
        {
            if (values[index].IsNullOrEmpty) return null;
            try
            {
                return JsonSerializer.Deserialize((byte[])values[index]!, type);
            }
            catch (JsonException)
            {
                throw Bad(index);
            }
        }

        FormatException Bad(int index) =>
            new($"field '{FieldsAndSketch[index]}' of {RedisKeys.Metrics(key.ServiceId, key.MetricName, window.Name, key.TagsHash)} is missing or unreadable: '{values[index]}'");
    }
}
