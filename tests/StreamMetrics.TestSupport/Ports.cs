using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace StreamMetrics.TestSupport;

/// <summary>Hands out TCP ports of 127.0.0.1 that nobody listens on.</summary>
/// <remarks>
/// They lie below the range from which the system takes ports for outgoing connections (32768 and up on Linux). A port of that range could
/// be taken by anybody's connection while a test has its server stopped, or even connect to itself. Test processes run side by side, and each
/// has a slice of the ports of its own: one that is handed out and not listened on yet must not be handed out by another process.
/// Ports below 20000 are left to systems on the fixed ports of <c>./run</c>, shifted or not.
/// </remarks>
public static class Ports
{
    const int First = 20_000;
    const int SliceSize = 1_000;
    const int Slices = 12;
    static readonly ConcurrentDictionary<int, bool> HandedOut = new();
    static readonly Slice Own = Slice.Take();

    /// <summary>A free port that this process has not been given before.</summary>
    public static int Free() => FreeRange(1);

    /// <summary>The first of several consecutive free ports that this process has not been given before.</summary>
    /// <param name="count">How many.</param>
    public static int FreeRange(int count)
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var first = Random.Shared.Next(Own.FirstPort, Own.FirstPort + SliceSize + 1 - count);
            if (Enumerable.Range(first, count).All(port => HandedOut.TryAdd(port, true) && IsFree(port))) return first;
        }

        throw new InvalidOperationException($"No {count} free ports from {Own.FirstPort} to {Own.FirstPort + SliceSize - 1} in 1000 attempts.");
    }

    /// <summary>Whether nobody listens on a port.</summary>
    /// <param name="port">The port.</param>
    public static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>A range of ports that belongs to this process as long as it holds the lock on a file.</summary>
    sealed record Slice(int FirstPort, FileStream Lock)
    {
        /// <summary>The first slice that no other process has.</summary>
        /// <exception cref="InvalidOperationException">All are taken.</exception>
        public static Slice Take()
        {
            for (var slice = 0; slice < Slices; slice++)
            {
                var first = First + slice * SliceSize;
                var file = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"streammetrics-test-ports-{first}.lock"));
                try
                {
                    return new(first, new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // Another process's, perhaps another user's: the next one.
                }
            }

            throw new InvalidOperationException($"{Slices} test processes hold ports already (streammetrics-test-ports-*.lock in {Path.GetTempPath()}).");
        }
    }
}
