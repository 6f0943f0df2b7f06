using System.Buffers;
using System.Text.Json;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Streams;

namespace StreamMetrics.Aggregator.Live;

/// <summary>What the live lane keeps per series: its keys and constant arguments, built once. Hangs on <see cref="LiveSeries.Companion"/>.</summary>
/// <param name="series">The series.</param>
sealed class SeriesKeys(LiveSeries series)
{
    readonly Dictionary<string, RedisKey> _windows = [];
    readonly byte[] _catalogHead = CatalogHead(series);

    /// <summary>Catalog of the service.</summary>
    public RedisKey Catalog { get; } = RedisKeys.Catalog(series.ServiceId);

    /// <summary>Field of the series in it.</summary>
    public RedisValue CatalogField { get; } = series.TagsHash.Length == 0 ? series.MetricName : $"{series.MetricName}:{series.TagsHash}";

    /// <summary>Channel of the service.</summary>
    public RedisValue Channel { get; } = RedisKeys.Live(series.ServiceId);

    /// <summary>Constant arguments of the script.</summary>
    public RedisValue ServiceId { get; } = series.ServiceId;

    /// <inheritdoc cref="ServiceId"/>
    public RedisValue MetricName { get; } = series.MetricName;

    /// <inheritdoc cref="ServiceId"/>
    public RedisValue MetricType { get; } = series.MetricType;

    /// <inheritdoc cref="ServiceId"/>
    public RedisValue Unit { get; } = series.Unit;

    /// <inheritdoc cref="ServiceId"/>
    public RedisValue Scope { get; } = series.Scope == AggregateScope.Total ? "total" : "series";

    /// <inheritdoc cref="ServiceId"/>
    public RedisValue Tags { get; } = series.TagsJson;

    /// <summary>When the catalog entry was written last, ms of the owner's clock; and for which state of Redis.</summary>
    public (long Time, int Epoch) CatalogWritten { get; set; } = (long.MinValue / 2, -1);

    /// <summary>Log time of the newest event that was written, ms since the epoch.</summary>
    public long NewestShown { get; set; }

    /// <summary>Event time of the newest traced event that was followed to the live store, ms since the epoch.</summary>
    public long NewestFollowed { get; set; }

    /// <summary>Key of a window's hash.</summary>
    /// <param name="window">Window name.</param>
    public RedisKey Window(string window)
    {
        if (!_windows.TryGetValue(window, out var key)) _windows[window] = key = RedisKeys.Metrics(series.ServiceId, series.MetricName, window, series.TagsHash);
        return key;
    }

    /// <summary>JSON of <see cref="CatalogEntry"/>.</summary>
    /// <param name="lastSeen">Log time of the newest event, ms since the epoch.</param>
    public RedisValue CatalogJson(long lastSeen)
    {
        Span<byte> number = stackalloc byte[20];
        lastSeen.TryFormat(number, out var digits, provider: System.Globalization.CultureInfo.InvariantCulture);
        var json = new byte[_catalogHead.Length + digits + 1];
        _catalogHead.CopyTo(json, 0);
        number[..digits].CopyTo(json.AsSpan(_catalogHead.Length));
        json[^1] = (byte)'}';
        return json;
    }

    /// <summary>The entry's JSON up to the number.</summary>
    static byte[] CatalogHead(LiveSeries series)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("metricType", series.MetricType);
        json.WriteString("unit", series.Unit);
        json.WritePropertyName("tags");
        json.WriteRawValue(series.TagsJson.Span);
        json.WriteNumber("lastSeen", 0);
        json.Flush();
        return buffer.WrittenSpan[..^1].ToArray();
    }
}
