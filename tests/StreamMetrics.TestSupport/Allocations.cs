namespace StreamMetrics.TestSupport;

/// <summary>Counts what code allocates.</summary>
public static class Allocations
{
    /// <summary>
    /// The least that any of ten goes allocated on this thread. When another thread makes the collector run, the rest of this thread's block, up to
    /// 8 KiB, is counted as if it had been allocated; what the code itself allocates is there every time.
    /// </summary>
    /// <param name="prepare">Makes one go, which is then measured.</param>
    /// <returns>Bytes.</returns>
    public static long Least(Func<Action> prepare)
    {
        var least = long.MaxValue;
        for (var i = 0; i < 10 && least > 0; i++)
        {
            var go = prepare();
            var before = GC.GetAllocatedBytesForCurrentThread();
            go();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
