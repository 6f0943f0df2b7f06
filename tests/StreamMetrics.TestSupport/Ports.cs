using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace StreamMetrics.TestSupport;

/// <summary>Hands out TCP ports of 127.0.0.1 that nobody listens on.</summary>
/// <remarks>
/// They lie below the range from which the system takes ports for outgoing connections (32768 and up on Linux). A port of that range could
/// be taken by anybody's connection while a test has its server stopped, or even connect to itself.
/// </remarks>
public static class Ports
{
    const int First = 20_000;
    const int Last = 31_999;
    static readonly ConcurrentDictionary<int, bool> HandedOut = new();

    /// <summary>A free port that this process has not been given before.</summary>
    public static int Free() => FreeRange(1);

    /// <summary>The first of several consecutive free ports that this process has not been given before.</summary>
    /// <param name="count">How many.</param>
    public static int FreeRange(int count)
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var first = Random.Shared.Next(First, Last + 2 - count);
            if (Enumerable.Range(first, count).All(port => HandedOut.TryAdd(port, true) && IsFree(port))) return first;
        }

        throw new InvalidOperationException($"No {count} free ports between {First} and {Last} in 1000 attempts.");
    }

    static bool IsFree(int port)
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
}
