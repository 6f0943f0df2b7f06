using System.Globalization;

namespace StreamMetrics.Contracts.Events;

/// <summary>The rules of an event in words, and those that are more than a length (docs/formats/events.md).</summary>
public static class EventRules
{
    /// <summary>Rule of eventId.</summary>
    public const string EventId = "must be a UUID such as 7b0c4f8e-1c2d-4e5f-8a9b-0c1d2e3f4a5b";

    /// <summary>Rule of timestamp.</summary>
    public const string Timestamp = "must be an integer, ms since the epoch, 0 or more, at most 15 digits";

    /// <summary>Rule of serviceId.</summary>
    public const string ServiceId = "must be 1-100 characters of A-Z a-z 0-9 . _ -";

    /// <summary>Rule of instanceId.</summary>
    public const string InstanceId = "must be a string of at most 200 characters";

    /// <summary>Rule of metricType.</summary>
    public const string MetricType = "must be 1-64 characters of A-Z 0-9 _, the first a letter";

    /// <summary>Rule of metricName.</summary>
    public const string MetricName = "must be 1-200 characters of A-Z a-z 0-9 . _ / -";

    /// <summary>Rule of value.</summary>
    public const string Value = "must be a finite number";

    /// <summary>Rule of value for types that measure durations or increments.</summary>
    public const string NotNegative = "must be 0 or more for HTTP_REQUEST, TIMER, DB_QUERY and COUNTER";

    /// <summary>Rule of unit.</summary>
    public const string Unit = "must be a string of 1-32 characters";

    /// <summary>Rule of tags.</summary>
    public const string Tags = "must be an object of at most 32 strings";

    /// <summary>Rule of a tag's key.</summary>
    public const string TagKey = "a tag's key must have 1-64 characters";

    /// <summary>Rule of a tag's value.</summary>
    public const string TagValue = "a tag's value must have at most 256 characters";

    /// <summary>Rule of the tag statusCode of HTTP requests.</summary>
    public const string StatusCode = "must be an integer from 100 to 599 for HTTP_REQUEST";

    /// <summary>Rule of metadata.</summary>
    public const string Metadata = "must be an object of at most 16 strings";

    static readonly string[] StatusTags = ["statusCode", "status", "http.response.status_code", "http.status_code"];

    static readonly string[] ErrorTags = ["error", "exception"];

    static readonly string[] NoError = ["", "none", "false"];

    /// <summary>True for types whose values are durations or increments and must not be negative.</summary>
    /// <param name="metricType">The metricType.</param>
    public static bool IsNotNegative(string metricType) =>
        metricType is MetricTypes.HttpRequest or MetricTypes.Timer or MetricTypes.DbQuery or MetricTypes.Counter;

    /// <summary>
    /// The HTTP status in the tags: the first of statusCode, status, http.response.status_code and http.status_code that is a number.
    /// </summary>
    /// <param name="tags">The tags.</param>
    public static int? StatusOf(IReadOnlyList<KeyValuePair<string, string>> tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        foreach (var name in StatusTags)
        {
            if (Find(tags, name) is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status)) return status;
        }

        return null;
    }

    /// <summary>2xx … 5xx, a derived field that a metric may be grouped by; null when there is no status.</summary>
    /// <param name="tags">The tags.</param>
    public static string? StatusClassOf(IReadOnlyList<KeyValuePair<string, string>> tags) =>
        StatusOf(tags) is { } status and >= 100 and <= 599 ? string.Create(CultureInfo.InvariantCulture, $"{status / 100}xx") : null;

    /// <summary>
    /// True for an event that counts as an error: a status of 500 or more, a tag error or exception other than none, false or empty (in
    /// any case of letters), or outcome=SERVER_ERROR.
    /// </summary>
    /// <param name="tags">The tags.</param>
    public static bool IsError(IReadOnlyList<KeyValuePair<string, string>> tags)
    {
        if (StatusOf(tags) >= 500 || Find(tags, "outcome") is "SERVER_ERROR") return true;
        foreach (var name in ErrorTags)
        {
            if (Find(tags, name) is { } text && !NoError.Contains(text, StringComparer.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    static string? Find(IReadOnlyList<KeyValuePair<string, string>> tags, string key)
    {
        foreach (var tag in tags)
        {
            if (string.Equals(tag.Key, key, StringComparison.Ordinal)) return tag.Value;
        }

        return null;
    }
}
