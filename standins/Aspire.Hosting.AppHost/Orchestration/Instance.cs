using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Orchestration;

/// <summary>One process of a resource: a project may have several replicas, each with ports of its own.</summary>
sealed class Instance(IResource resource, string id, IReadOnlyDictionary<EndpointAnnotation, int> ports)
{
    public IResource Resource { get; } = resource;

    /// <summary>The resource's name; with replicas a number from 1 behind it.</summary>
    public string Id { get; } = id;

    public IReadOnlyDictionary<EndpointAnnotation, int> Ports { get; } = ports;

    public ResourceProcess? Process { get; set; }

    public bool IsStopping { get; set; }

    public string UrlOf(EndpointAnnotation endpoint) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{endpoint.UriScheme}://{EndpointAllocator.Host}:{Ports[endpoint]}");
}
