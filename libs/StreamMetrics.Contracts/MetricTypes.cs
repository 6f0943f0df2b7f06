namespace StreamMetrics.Contracts;

/// <summary>Well-known values of an event's <c>metricType</c>; others of the same form are accepted.</summary>
public static class MetricTypes
{
    /// <summary>Duration of an HTTP request.</summary>
    public const string HttpRequest = "HTTP_REQUEST";

    /// <summary>Increment of a monotonic counter.</summary>
    public const string Counter = "COUNTER";

    /// <summary>A value at a time.</summary>
    public const string Gauge = "GAUGE";

    /// <summary>Duration of anything.</summary>
    public const string Timer = "TIMER";

    /// <summary>Duration of a database query.</summary>
    public const string DbQuery = "DB_QUERY";

    /// <summary>Cache access.</summary>
    public const string Cache = "CACHE";

    /// <summary>Message sent or received.</summary>
    public const string Message = "MESSAGE";

    /// <summary>Runtime figure of a JVM.</summary>
    public const string Jvm = "JVM";

    /// <summary>Anything else.</summary>
    public const string Custom = "CUSTOM";
}
