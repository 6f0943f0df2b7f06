using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Stores;

/// <summary>A window as a store has it.</summary>
/// <param name="Value">The aggregate; without its sketch unless that was asked for. Partition and offset are -1 where the store does not keep them.</param>
/// <param name="TagsHash">Identifies the series; empty for a total.</param>
/// <param name="Revision">0 for a provisional value, else the store's count of versions.</param>
/// <param name="Source">The store.</param>
/// <param name="AsOf">Log time of the newest event that is included, ms since the epoch, where the store knows it.</param>
sealed record StoredWindow(Aggregate Value, string TagsHash, long Revision, DataSource Source, long? AsOf = null)
{
    public long SizeMs => Value.End - Value.Start;

    public bool IsFinal => Value.Kind != AggregateKind.Provisional;

    /// <summary>Whether this is the better of two values of the same window.</summary>
    public bool Supersedes(StoredWindow other) =>
        IsFinal != other.IsFinal ? IsFinal : IsFinal ? Revision > other.Revision : Value.AsOfOffset > other.Value.AsOfOffset;
}

/// <summary>A service as a store knows it.</summary>
sealed record SeenService(string ServiceId, long LastSeen, int Metrics, IReadOnlyDictionary<string, string> Attributes);

/// <summary>A total (empty hash) or a series of a service.</summary>
sealed record CatalogItem(string MetricName, string TagsHash, CatalogEntry Entry);
