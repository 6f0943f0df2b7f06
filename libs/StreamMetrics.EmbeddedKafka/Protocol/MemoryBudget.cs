namespace StreamMetrics.EmbeddedKafka;

/// <summary>Bounds the bytes of requests and of fetched records in memory, over all connections.</summary>
internal sealed class MemoryBudget(long bytes)
{
    /// <summary>What an answer may always have, so that a fetch gets on however much others hold.</summary>
    const int SmallAnswer = 64 << 10;

    long _held;

    /// <summary>Takes bytes, which have arrived: a connection that asks for more than is left is closed, and its client comes again.</summary>
    /// <exception cref="ProtocolException">Too many bytes of requests are in flight.</exception>
    public void Take(int wanted)
    {
        if (Interlocked.Add(ref _held, wanted) <= bytes) return;
        Interlocked.Add(ref _held, -wanted);
        throw new ProtocolException($"More than {bytes} bytes of requests are in flight.");
    }

    /// <summary>Takes bytes for an answer: as many as wanted, or fewer when little is left. They are to be released when the answer is sent.</summary>
    public int TakeUpTo(int wanted)
    {
        for (; ; wanted /= 2)
        {
            if (Interlocked.Add(ref _held, wanted) <= bytes || wanted <= SmallAnswer) return wanted;
            Interlocked.Add(ref _held, -wanted);
        }
    }

    public void Release(int released) => Interlocked.Add(ref _held, -released);
}
