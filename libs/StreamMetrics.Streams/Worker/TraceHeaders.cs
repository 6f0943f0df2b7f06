namespace StreamMetrics.Streams.Worker;

/// <summary>Header of the W3C trace context on Kafka records (https://www.w3.org/TR/trace-context/).</summary>
static class TraceHeaders
{
    /// <summary>Header name.</summary>
    public const string TraceParent = "traceparent";

    /// <summary>Length of a version-00 value: 2 + 32 + 16 + 2 hexadecimal digits and three hyphens.</summary>
    public const int TraceParentLength = 55;
}
