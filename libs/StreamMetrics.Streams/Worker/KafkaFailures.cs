using Confluent.Kafka;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// Turns the client's errors into what happens next. Fenced: somebody else owns the partition. Settings and rights: nobody can help but
/// a human. All else, timeouts and unknown outcomes above all, is indefinite: librdkafka has no KIP-890, so a producer that does not know
/// whether its transaction ended must never be used again; the partition is restored with a new one, whose epoch fences what is in flight.
/// </summary>
static class KafkaFailures
{
    /// <summary>Translates an exception of the client.</summary>
    /// <param name="e">The exception.</param>
    /// <param name="operation">What was tried.</param>
    /// <param name="partition">Input partition it was tried for.</param>
    public static Exception Translate(KafkaException e, string operation, int partition)
    {
        var message = $"{operation} for partition {partition} failed: {e.Error.Reason} ({e.Error.Code}).";
        if (IsFenced(e.Error.Code)) return new PartitionLostException(message, e);
        if (IsFatal(e.Error.Code)) return new FatalWorkerException(message, e);
        return new StateCorruptedException(message, e);
    }

    /// <summary>True when a newer producer or member has taken over.</summary>
    /// <param name="code">Error code.</param>
    public static bool IsFenced(ErrorCode code) => code
        is ErrorCode.ProducerFenced
        or ErrorCode.InvalidProducerEpoch
        or ErrorCode.Local_Fenced
        or ErrorCode.FencedInstanceId;

    /// <summary>True when trying again cannot help.</summary>
    /// <param name="code">Error code.</param>
    public static bool IsFatal(ErrorCode code) => code
        is ErrorCode.TopicAuthorizationFailed
        or ErrorCode.GroupAuthorizationFailed
        or ErrorCode.ClusterAuthorizationFailed
        or ErrorCode.TransactionalIdAuthorizationFailed
        or ErrorCode.SaslAuthenticationFailed
        or ErrorCode.UnsupportedVersion
        or ErrorCode.InvalidTransactionTimeout
        or ErrorCode.InvalidConfig
        or ErrorCode.InvalidRequiredAcks
        or ErrorCode.Local_UnsupportedFeature
        or ErrorCode.Local_InvalidArg
        or ErrorCode.Local_Authentication;
}
