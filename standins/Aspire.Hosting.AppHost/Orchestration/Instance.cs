using System.Globalization;
using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Orchestration;

/// <summary>One process of a resource: a project may have several replicas, each with ports of its own.</summary>
/// <param name="resource">The resource.</param>
/// <param name="id">See <see cref="Id"/>.</param>
/// <param name="number">See <see cref="Number"/>.</param>
/// <param name="ports">See <see cref="Ports"/>.</param>
/// <param name="held">What keeps the ports for it.</param>
sealed class Instance(IResource resource, string id, int number, IReadOnlyDictionary<EndpointAnnotation, int> ports, IReadOnlyList<Socket> held) : IDisposable
{
    public IResource Resource { get; } = resource;

    /// <summary>The resource's name; with replicas a number from 1 behind it.</summary>
    public string Id { get; } = id;

    /// <summary>From 1.</summary>
    public int Number { get; } = number;

    public IReadOnlyDictionary<EndpointAnnotation, int> Ports { get; } = ports;

    public ResourceProcess? Process { get; set; }

    /// <summary>Ends when the end of <see cref="Process"/> was told.</summary>
    public Task Ended { get; set; } = Task.CompletedTask;

    public bool IsStopping { get; set; }

    /// <summary>Held while it is started or stopped.</summary>
    public SemaphoreSlim Changing { get; } = new(1);

    public string UrlOf(EndpointAnnotation endpoint) =>
        string.Create(CultureInfo.InvariantCulture, $"{endpoint.UriScheme}://{EndpointAllocator.Host}:{Ports[endpoint]}");

    public void Dispose()
    {
        Process?.Dispose();
        Changing.Dispose();
        foreach (var socket in held) socket.Dispose();
    }
}
