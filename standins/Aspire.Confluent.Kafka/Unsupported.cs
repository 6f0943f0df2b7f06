namespace Aspire.Confluent.Kafka;

static class Unsupported
{
    /// <summary>
    /// The real package's health check produces to a topic <c>healthchecks-topic</c>, its metrics and traces wrap every message; this
    /// stand-in has none of them, and says so rather than leaving them out in silence.
    /// </summary>
    public static void ThrowUnless(bool disabled, string name)
    {
        if (!disabled)
        {
            throw new NotSupportedException(
                $"Health check, metrics and tracing need the real package Aspire.Confluent.Kafka; set {name} to true in configureSettings.");
        }
    }
}
