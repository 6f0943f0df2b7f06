namespace StreamMetrics.Contracts;

/// <summary>Limits of an event; what breaks one is dead-lettered with the field and the rule named.</summary>
public static class EventLimits
{
    /// <summary>Largest message, bytes.</summary>
    public const int MaxMessageBytes = 64 * 1024;

    /// <summary>Longest serviceId, characters of <c>[A-Za-z0-9._-]</c>.</summary>
    public const int MaxServiceIdLength = 100;

    /// <summary>Longest instanceId, characters.</summary>
    public const int MaxInstanceIdLength = 200;

    /// <summary>Longest metricType, characters of <c>[A-Z][A-Z0-9_]*</c>.</summary>
    public const int MaxMetricTypeLength = 64;

    /// <summary>Longest metricName, characters of <c>[A-Za-z0-9._/-]</c>.</summary>
    public const int MaxMetricNameLength = 200;

    /// <summary>Longest unit, characters.</summary>
    public const int MaxUnitLength = 32;

    /// <summary>Most tags.</summary>
    public const int MaxTags = 32;

    /// <summary>Longest tag key, characters.</summary>
    public const int MaxTagKeyLength = 64;

    /// <summary>Longest tag value, characters.</summary>
    public const int MaxTagValueLength = 256;

    /// <summary>Most metadata entries.</summary>
    public const int MaxMetadata = 16;
}
