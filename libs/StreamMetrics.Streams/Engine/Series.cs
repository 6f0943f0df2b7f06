using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams;

/// <summary>A series or total. Every event of a series also counts in its <see cref="Total"/>.</summary>
sealed class Series : LiveSeries
{
    // Non-ASCII text stays as it is: shorter, and the same bytes whatever the version of the encoder's tables.
    static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Place in the cell tables; the smallest free number when the series was made, so it is a function of the log.</summary>
    public required int Id { get; init; }

    public required ServiceState Service { get; init; }

    /// <summary>The total that a series belongs to; null for a total.</summary>
    public required Series? Total { get; init; }

    /// <summary>Whether it takes the events of series that are above the limits.</summary>
    public required bool IsOverflow { get; init; }

    /// <summary>Cells in panes, windows and corrections; a series without any is forgotten.</summary>
    public int Cells { get; set; }

    public bool IsAlive { get; set; } = true;

    /// <summary>Beginning of every aggregate's JSON, up to the window's name.</summary>
    public byte[] JsonHead { get; private set; } = [];

    public static Series Create(int id, ServiceState service, Series? total, string metricName, string metricType, string unit, KeyValuePair<string, string>[] tags, bool isOverflow)
    {
        var tagsJson = WriteTags(tags);
        var dictionary = new Dictionary<string, string>(tags, StringComparer.Ordinal);
        var series = new Series
        {
            Id = id,
            Service = service,
            Total = total,
            ServiceId = service.ServiceId,
            MetricName = metricName,
            MetricType = metricType,
            Unit = unit,
            Scope = total == null ? AggregateScope.Total : AggregateScope.Series,
            Tags = dictionary,
            TagsJson = tagsJson,
            TagsHash = total == null ? Contracts.TagsHash.Total : Contracts.TagsHash.Compute(dictionary),
            IsOverflow = isOverflow,
        };
        series.JsonHead = WriteHead(series);
        return series;
    }

    static byte[] WriteTags(KeyValuePair<string, string>[] tags)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Json))
        {
            writer.WriteStartObject();
            foreach (var (key, value) in tags) writer.WriteString(key, value);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    static byte[] WriteHead(Series series)
    {
        var head = new StringBuilder();
        head.Append("{\"serviceId\":").Append(Quote(series.ServiceId));
        head.Append(",\"metricName\":").Append(Quote(series.MetricName));
        head.Append(",\"metricType\":").Append(Quote(series.MetricType));
        head.Append(",\"unit\":").Append(Quote(series.Unit));
        head.Append(series.Scope == AggregateScope.Total ? ",\"scope\":\"total\"" : ",\"scope\":\"series\"");
        head.Append(",\"tags\":").Append(Encoding.UTF8.GetString(series.TagsJson.Span));
        return Encoding.UTF8.GetBytes(head.Append(",\"window\":\"").ToString());
    }

    static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, Json.Encoder)}\"";
}

/// <summary>A service that has series in this partition.</summary>
/// <param name="serviceId">The service.</param>
/// <param name="isMisrouted">Whether its key belongs to another partition.</param>
/// <param name="statistics">Its counters.</param>
sealed class ServiceState(string serviceId, bool isMisrouted, ServiceStatistics statistics)
{
    public string ServiceId { get; } = serviceId;

    /// <summary>Key of what is written for the service.</summary>
    public byte[] Key { get; } = Encoding.UTF8.GetBytes(serviceId);

    public bool IsMisrouted { get; } = isMisrouted;

    public ServiceStatistics Statistics { get; } = statistics;

    /// <summary>By metricName.</summary>
    public Dictionary<string, MetricState> Metrics { get; } = new(StringComparer.Ordinal);

    /// <summary>Series that count against the limit: all but totals and overflow series.</summary>
    public int Series { get; set; }

    /// <summary>Distinct series that were folded; null while none was.</summary>
    public HyperLogLog? Folded { get; set; }
}

/// <summary>A metric of a service: its total and its series by tags hash.</summary>
/// <param name="total">The total.</param>
sealed class MetricState(Series total)
{
    public Series Total { get; } = total;

    public Dictionary<string, Series> Series { get; } = new(StringComparer.Ordinal);
}
