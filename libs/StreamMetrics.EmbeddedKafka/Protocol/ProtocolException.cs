namespace StreamMetrics.EmbeddedKafka;

/// <summary>The bytes of a request are not what the protocol says; the connection that sent them is closed.</summary>
internal sealed class ProtocolException(string message) : Exception(message);
