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
            var ports = endpoints.ToDictionary(e => e, e => replicas == 1 ? e.Port ?? e.TargetPort ?? FreePort() : FreePort());
            instances.Add(new(resource, replicas == 1 ? resource.Name : string.Create(CultureInfo.InvariantCulture, $"{resource.Name}-{i}"), i, ports));
        }

        foreach (var endpoint in endpoints) endpoint.AllocatedEndpoint = new(endpoint, Host, instances[0].Ports[endpoint]);
        return instances;
    }

    // The system may name a port a second time, since nobody listens on it until the program has started.
    static int FreePort()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;
            if (HandedOut.TryAdd(port, true)) return port;
        }
    }
}
