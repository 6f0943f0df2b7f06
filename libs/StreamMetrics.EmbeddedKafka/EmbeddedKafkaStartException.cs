namespace StreamMetrics.EmbeddedKafka;

/// <summary>The broker cannot start; the message is one sentence for the user.</summary>
public sealed class EmbeddedKafkaStartException : Exception
{
    /// <summary>Without a message.</summary>
    public EmbeddedKafkaStartException()
    {
    }

    /// <summary>With the reason.</summary>
    /// <param name="message">What is wrong.</param>
    public EmbeddedKafkaStartException(string message)
        : base(message)
    {
    }

    /// <summary>With the reason and its cause.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="innerException">What it follows from.</param>
    public EmbeddedKafkaStartException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
