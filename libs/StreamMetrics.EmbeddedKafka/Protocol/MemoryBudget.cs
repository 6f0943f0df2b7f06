namespace StreamMetrics.EmbeddedKafka;

/// <summary>Bounds the bytes of requests in memory, over all connections.</summary>
internal sealed class MemoryBudget(long bytes)
{
    long _held;

    /// <summary>Takes bytes, which have arrived: a connection that asks for more than is left is closed, and its client comes again.</summary>
    /// <exception cref="ProtocolException">Too many bytes of requests are in flight.</exception>
    public void Take(int wanted)
    {
        if (Interlocked.Add(ref _held, wanted) <= bytes) return;
        Interlocked.Add(ref _held, -wanted);
        throw new ProtocolException($"More than {bytes} bytes of requests are in flight.");
    }

    public void Release(int released) => Interlocked.Add(ref _held, -released);
}
