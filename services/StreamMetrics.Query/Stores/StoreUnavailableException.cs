namespace StreamMetrics.Query.Stores;

/// <summary>A store did not answer in time or not sensibly; the caller asks the other one or says so.</summary>
sealed class StoreUnavailableException(string store, string reason, Exception? inner = null) : Exception($"{store} is not available: {reason}", inner)
{
    /// <summary>The store's name as users know it.</summary>
    public string Store { get; } = store;
}
