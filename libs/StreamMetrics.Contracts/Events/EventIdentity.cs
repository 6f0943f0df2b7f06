using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace StreamMetrics.Contracts.Events;

/// <summary>What an event says about its series, checked: a function of the bytes that <see cref="EventReader.IdentityHash"/> covers.</summary>
public sealed class EventIdentity
{
    static readonly SearchValues<char> ServiceIdCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    static readonly SearchValues<char> MetricNameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-");
    static readonly SearchValues<char> MetricTypeCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    EventIdentity(string serviceId, string metricType, string metricName, string unit, KeyValuePair<string, string>[] tags)
    {
        ServiceId = serviceId;
        MetricType = metricType;
        MetricName = metricName;
        Unit = unit;
        Tags = tags;
        IsError = EventRules.IsError(tags);
        IsNotNegative = EventRules.IsNotNegative(metricType);
    }

    /// <summary>The service.</summary>
    public string ServiceId { get; }

    /// <summary>Kind of metric.</summary>
    public string MetricType { get; }

    /// <summary>The metric.</summary>
    public string MetricName { get; }

    /// <summary>Unit of the value.</summary>
    public string Unit { get; }

    /// <summary>All tags, by key in ordinal order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Tags { get; }

    /// <summary>Whether events with these tags count as errors.</summary>
    public bool IsError { get; }

    /// <summary>Whether values of this type must be 0 or more.</summary>
    public bool IsNotNegative { get; }

    /// <summary>Checks what the reader has read last.</summary>
    /// <param name="reader">A reader whose <see cref="EventReader.TryRead"/> succeeded.</param>
    /// <param name="identity">The identity, when all rules are kept.</param>
    /// <param name="error">The first rule that is not.</param>
    public static bool TryCreate(EventReader reader, [NotNullWhen(true)] out EventIdentity? identity, [NotNullWhen(false)] out EventError? error)
    {
        ArgumentNullException.ThrowIfNull(reader);
        identity = null;
        var serviceId = JsonText.Unescape(reader.ServiceId);
        var metricType = JsonText.Unescape(reader.MetricType);
        var metricName = JsonText.Unescape(reader.MetricName);
        var unit = JsonText.Unescape(reader.Unit);
        error = CheckName("serviceId", serviceId, EventLimits.MaxServiceIdLength, ServiceIdCharacters, EventRules.ServiceId)
            ?? CheckName("metricType", metricType, EventLimits.MaxMetricTypeLength, MetricTypeCharacters, EventRules.MetricType)
            ?? (char.IsAsciiLetterUpper(metricType[0]) ? null : Invalid("metricType", metricType, EventRules.MetricType))
            ?? CheckName("metricName", metricName, EventLimits.MaxMetricNameLength, MetricNameCharacters, EventRules.MetricName)
            ?? (unit.Length is >= 1 and <= EventLimits.MaxUnitLength ? null : Invalid("unit", unit, EventRules.Unit));
        if (error != null) return false;
        var tags = ReadTags(reader.Tags);
        error = CheckTags(tags, metricType);
        if (error != null) return false;
        identity = new(serviceId, metricType, metricName, unit, tags);
        return true;
    }

    /// <summary>Checks the value of an event with this identity.</summary>
    /// <param name="value">The value, finite.</param>
    /// <returns>The rule that is broken; null when none is.</returns>
    public EventError? CheckValue(double value) =>
        IsNotNegative && value < 0 ? Invalid("value", value.ToString("R", CultureInfo.InvariantCulture), EventRules.NotNegative, quote: false) : null;

    static KeyValuePair<string, string>[] ReadTags(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty) return [];
        var tags = new List<KeyValuePair<string, string>>();
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            tags.Add(new(key, reader.GetString()!));
        }

        tags.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
        return [.. tags];
    }

    static EventError? CheckTags(KeyValuePair<string, string>[] tags, string metricType)
    {
        if (tags.Length > EventLimits.MaxTags)
        {
            return new(ReasonCodes.InvalidField, "tags", string.Create(CultureInfo.InvariantCulture, $"{tags.Length} entries"), EventRules.Tags);
        }

        for (var i = 0; i < tags.Length; i++)
        {
            var (key, value) = tags[i];
            var field = $"tags.{JsonText.Cut(key)}";
            if (key.Length is 0 or > EventLimits.MaxTagKeyLength) return Invalid("tags", key, EventRules.TagKey);
            if (value.Length > EventLimits.MaxTagValueLength) return Invalid(field, value, EventRules.TagValue);
            if (i > 0 && string.Equals(tags[i - 1].Key, key, StringComparison.Ordinal)) return new(ReasonCodes.InvalidField, field, "", "must not appear twice");
            if (metricType == MetricTypes.HttpRequest && key == "statusCode" && !IsStatus(value)) return Invalid(field, value, EventRules.StatusCode);
        }

        return null;
    }

    static bool IsStatus(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 100 and <= 599;

    static EventError? CheckName(string field, string text, int maxLength, SearchValues<char> allowed, string rule) =>
        text.Length >= 1 && text.Length <= maxLength && !text.AsSpan().ContainsAnyExcept(allowed) ? null : Invalid(field, text, rule);

    static EventError Invalid(string field, string value, string rule, bool quote = true) =>
        new(ReasonCodes.InvalidField, field, quote ? $"\"{JsonText.Cut(value)}\"" : value, rule);
}
