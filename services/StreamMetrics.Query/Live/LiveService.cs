using StreamMetrics.Query.Stores;

namespace StreamMetrics.Query.Live;

/// <summary>Subscriptions for every API: the value there is now, then each new one.</summary>
sealed class LiveService(LiveHub hub, InterestKeeper interest, SeriesReader series, IHotStore hot)
{
    /// <summary>
    /// Puts values into the outbox until the answer is disposed. Redis may be away: then values come when it returns.
    /// </summary>
    public async Task<IAsyncDisposable> SubscribeAsync(string id, LiveFilter filter, Outbox outbox, CancellationToken token)
    {
        // first the channel, then the value there is: none is missed between the two
        var subscription = await hub.SubscribeAsync(filter, value => outbox.Put(id, value), token);
        try
        {
            await interest.AddAsync(filter, token);
            var keys = await series.KeysAsync(filter.Selector, filter.IsTotal, token);
            foreach (var window in await hot.NewestAsync(keys, filter.Window, withSketch: false, token)) outbox.PutFirst(id, LiveHub.ToLiveValue(window));
        }
        catch (StoreUnavailableException)
        {
            // no value now; the subscription stands
        }
        catch
        {
            await subscription.DisposeAsync();
            throw;
        }

        return subscription;
    }
}
