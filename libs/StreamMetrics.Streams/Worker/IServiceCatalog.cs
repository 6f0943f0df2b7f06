namespace StreamMetrics.Streams.Worker;

/// <summary>
/// What is known of services beyond their events: team, tier, environment. Looked up when an aggregate is written and put beside it, in the
/// header <c>sm-catalog</c>; it is no part of identity, hash or the bytes that replays are compared by.
/// </summary>
public interface IServiceCatalog
{
    /// <summary>What is known of a service; called by several threads.</summary>
    /// <param name="serviceId">The service's id, UTF-8.</param>
    /// <returns>A JSON object whose values are strings, UTF-8; null when nothing is known.</returns>
    byte[]? Find(ReadOnlySpan<byte> serviceId);
}
