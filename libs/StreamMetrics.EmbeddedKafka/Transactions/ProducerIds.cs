namespace StreamMetrics.EmbeddedKafka;

/// <summary>Hands out producer ids. A block is reserved on disk before its first id is given, so a crash skips ids and never repeats one.</summary>
internal sealed class ProducerIds(MetaStore store)
{
    const long BlockSize = 1000;
    long _next = store.Meta.ProducerIdsReserved;

    public long Next()
    {
        lock (store.Gate)
        {
            if (_next == store.Meta.ProducerIdsReserved)
            {
                store.Change(() => store.Meta.ProducerIdsReserved += BlockSize, () => store.Meta.ProducerIdsReserved -= BlockSize);
            }

            return _next++;
        }
    }
}
