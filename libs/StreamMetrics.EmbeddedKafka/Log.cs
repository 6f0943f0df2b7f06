using Microsoft.Extensions.Logging;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>Every log line of the broker.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, EventName = "broker.started", Message = "Embedded Kafka broker listens on {Servers}, data in {Directory}, ready after {Elapsed}")]
    public static partial void Started(ILogger logger, string servers, string directory, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Information, EventName = "broker.stopped", Message = "Embedded Kafka broker stopped")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "connection.malformed", Message = "Closing connection {Connection} from {Remote}: {Reason}")]
    public static partial void ConnectionClosed(ILogger logger, string connection, string? remote, string reason);

    [LoggerMessage(Level = LogLevel.Error, EventName = "connection.failed", Message = "Request {Key} v{Version} of connection {Connection} failed; closing the connection")]
    public static partial void RequestFailed(ILogger logger, ApiKey key, short version, string connection, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "log.torn", Message = "{Topic}-{Partition}: cut {Bytes} bytes of an incomplete write after offset {Offset}")]
    public static partial void TornTailCut(ILogger logger, string topic, int partition, long offset, long bytes);

    [LoggerMessage(Level = LogLevel.Error, EventName = "log.write.failed", Message = "{Topic}-{Partition}: write failed, the producer gets an error")]
    public static partial void WriteFailed(ILogger logger, string topic, int partition, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, EventName = "background.failed", Message = "Background work '{Work}' failed, it is tried again at its next turn")]
    public static partial void BackgroundFailed(ILogger logger, string work, Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, EventName = "log.compacted", Message = "{Topic}-{Partition}: compacted {Before} to {After} bytes")]
    public static partial void Compacted(ILogger logger, string topic, int partition, long before, long after);

    [LoggerMessage(Level = LogLevel.Debug, EventName = "group.generation", Message = "Group {Group}: generation {Generation} with {Members} members")]
    public static partial void GroupGeneration(ILogger logger, string group, int generation, int members);

    [LoggerMessage(Level = LogLevel.Information, EventName = "group.member.expired", Message = "Group {Group}: member {Member} sent no heartbeat in its session timeout and is removed")]
    public static partial void MemberExpired(ILogger logger, string group, string member);

    [LoggerMessage(Level = LogLevel.Information, EventName = "transaction.timed.out", Message = "Transaction {Id} is open for longer than its timeout and is aborted")]
    public static partial void TransactionTimedOut(ILogger logger, string id);
}
