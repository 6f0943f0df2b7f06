using Amazon.Runtime;
using ZstdSharp;

namespace StreamMetrics.Archiver.Archive;

/// <summary>The archive is not what it must be, or cannot take or give a partition. The message says which and why.</summary>
sealed class ArchiveException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether an exception comes from the archive: its disk, its server, or what it holds.</summary>
    public static bool IsFailure(Exception exception, CancellationToken asked) => exception switch
    {
        ArchiveException or IOException or UnauthorizedAccessException or InvalidDataException or ZstdException or HttpRequestException => true,
        AmazonServiceException or AmazonClientException => true,
        // The SDK's own time limits come as cancellations.
        OperationCanceledException => !asked.IsCancellationRequested,
        _ => false,
    };
}
