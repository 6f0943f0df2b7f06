namespace StreamMetrics.Client.Kafka;

/// <summary>What became of one event that <see cref="EventProducer.Send"/> took.</summary>
/// <param name="Id">The number it was sent with.</param>
/// <param name="Partition">Its partition; negative when it never got one.</param>
/// <param name="Offset">Its offset; negative when it is not known.</param>
/// <param name="ErrorCode">0 when the brokers acknowledged it, else librdkafka's error code.</param>
public readonly record struct Delivery(long Id, int Partition, long Offset, int ErrorCode)
{
    /// <summary>Whether the brokers acknowledged it.</summary>
    public bool IsAcknowledged => ErrorCode == 0;
}

/// <summary>Is told by <see cref="EventProducer.Poll"/>, on the thread that calls it.</summary>
public interface IEventProducerObserver
{
    /// <summary>An event was acknowledged or given up. Called once for each event, in the order of offsets within a partition.</summary>
    /// <param name="delivery">What became of it.</param>
    void Delivered(in Delivery delivery);

    /// <summary>The client has trouble that it goes on to mend by itself, such as a broker that does not answer.</summary>
    /// <param name="code">librdkafka's error code.</param>
    /// <param name="reason">The trouble in words.</param>
    void Trouble(int code, string reason);

    /// <summary>A log line of librdkafka.</summary>
    /// <param name="severity">As in syslog: 0 (worst) to 7 (debug).</param>
    /// <param name="text">The line.</param>
    void Log(int severity, string text);

    /// <summary>Figures of the client, every <c>statistics.interval.ms</c> when that is set. Nothing by default.</summary>
    /// <param name="json">STATISTICS.md of librdkafka describes it.</param>
    void Statistics(string json)
    {
    }
}

/// <summary>Kafka refuses to go on, or a setting is wrong.</summary>
public sealed class EventProducerException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong.</param>
    public EventProducerException(string message)
        : base(message)
    {
    }
}
