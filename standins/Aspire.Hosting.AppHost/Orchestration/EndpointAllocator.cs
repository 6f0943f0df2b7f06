using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Orchestration;

/// <summary>
/// Gives every endpoint a port: the one it asks for, or a free one. There is no proxy before the replicas of a project, so with more than
/// one each gets a free port, and references point at the first.
/// </summary>
static class EndpointAllocator
{
    public const string Host = "127.0.0.1";

    static readonly ConcurrentDictionary<int, bool> HandedOut = new();

    public static IReadOnlyList<Instance> Allocate(IResource resource)
    {
        var endpoints = resource.Annotations.OfType<EndpointAnnotation>().ToArray();
        var replicas = resource.GetReplicaCount();
        var instances = new List<Instance>();
        for (var i = 1; i <= replicas; i++)
        {
            var held = new List<Socket>();
            var ports = endpoints.ToDictionary(e => e, e => replicas == 1 ? e.Port ?? e.TargetPort ?? FreePort(held) : FreePort(held));
            instances.Add(new(resource, replicas == 1 ? resource.Name : string.Create(CultureInfo.InvariantCulture, $"{resource.Name}-{i}"), i, ports, held));
        }

        foreach (var endpoint in endpoints) endpoint.AllocatedEndpoint = new(endpoint, Host, instances[0].Ports[endpoint]);
        return instances;
    }

    // Nobody listens on the port until the program has started, and the system would name it to others or take it for a connection. On Linux a
    // socket that is bound to it and does not listen keeps it from them, and lets a program that asks for this very port have it (SO_REUSEADDR,
    // which .NET sets); elsewhere that would be in the program's own way.
    static int FreePort(List<Socket> held)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            if (OperatingSystem.IsLinux()) held.Add(socket);
            else socket.Dispose();
            if (HandedOut.TryAdd(port, true)) return port;
        }
    }
}
