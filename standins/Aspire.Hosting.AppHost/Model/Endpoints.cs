using System.Globalization;
using System.Net.Sockets;

namespace Aspire.Hosting.ApplicationModel;

public sealed class AllocatedEndpoint(EndpointAnnotation endpoint, string address, int port)
{
    public EndpointAnnotation Endpoint { get; } = endpoint;

    public string Address { get; } = address;

    public int Port { get; } = port;

    public string UriString => string.Create(CultureInfo.InvariantCulture, $"{Endpoint.UriScheme}://{Address}:{Port}");
}

public sealed class EndpointAnnotation(
    ProtocolType protocol,
    string? uriScheme = null,
    string? transport = null,
    string? name = null,
    int? port = null,
    int? targetPort = null,
    bool? isExternal = null,
    bool isProxied = true) : IResourceAnnotation
{
    public ProtocolType Protocol { get; set; } = protocol;

    public string UriScheme { get; set; } = uriScheme ?? (protocol == ProtocolType.Udp ? "udp" : "tcp");

    public string Transport { get; set; } = transport ?? (uriScheme is "http" or "https" ? "http" : "tcp");

    public string Name { get; set; } = name ?? uriScheme ?? "tcp";

    public int? Port { get; set; } = port;

    public int? TargetPort { get; set; } = targetPort;

    public bool IsExternal { get; set; } = isExternal ?? false;

    public bool IsProxied { get; set; } = isProxied;

    public AllocatedEndpoint? AllocatedEndpoint { get; set; }
}

public enum EndpointProperty
{
    Url = 0,
    Host = 1,
    IPV4Host = 2,
    Port = 3,
    Scheme = 4,
    TargetPort = 5,
    HostAndPort = 6,
}

public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName) : IExpressionValue, IValueWithReferences
{
    public IResourceWithEndpoints Resource { get; } = owner;

    public string EndpointName { get; } = endpointName;

    public bool Exists => Find() is not null;

    public bool IsAllocated => Find()?.AllocatedEndpoint is not null;

    public int Port => Allocated.Port;

    public int? TargetPort => EndpointAnnotation.TargetPort;

    public string Host => Allocated.Address;

    public string Scheme => EndpointAnnotation.UriScheme;

    public string Url => Allocated.UriString;

    public string ValueExpression => Expression(EndpointProperty.Url);

    public EndpointAnnotation EndpointAnnotation =>
        Find() ?? throw new InvalidOperationException($"The resource '{Resource.Name}' has no endpoint '{EndpointName}'.");

    IEnumerable<object> IValueWithReferences.References => [Resource];

    AllocatedEndpoint Allocated => EndpointAnnotation.AllocatedEndpoint
        ?? throw new InvalidOperationException($"The endpoint '{EndpointName}' of the resource '{Resource.Name}' has no address yet.");

    public EndpointReferenceExpression Property(EndpointProperty property) => new(this, property);

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => new(Url);

    internal string Expression(EndpointProperty property)
    {
        var binding = $"{Resource.Name}.bindings.{EndpointName}";
        return property switch
        {
            EndpointProperty.Url => $"{{{binding}.url}}",
            EndpointProperty.Host or EndpointProperty.IPV4Host => $"{{{binding}.host}}",
            EndpointProperty.Port => $"{{{binding}.port}}",
            EndpointProperty.Scheme => $"{{{binding}.scheme}}",
            EndpointProperty.TargetPort => $"{{{binding}.targetPort}}",
            EndpointProperty.HostAndPort => $"{{{binding}.host}}:{{{binding}.port}}",
            _ => throw new ArgumentOutOfRangeException(nameof(property), property, "Unknown endpoint property."),
        };
    }

    EndpointAnnotation? Find() => Resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(e => e.Name == EndpointName);
}

public sealed class EndpointReferenceExpression(EndpointReference endpoint, EndpointProperty property) : IExpressionValue, IValueWithReferences
{
    public EndpointReference Endpoint { get; } = endpoint;

    public EndpointProperty Property { get; } = property;

    public string ValueExpression => Endpoint.Expression(Property);

    IEnumerable<object> IValueWithReferences.References => [Endpoint];

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => new(Property switch
    {
        EndpointProperty.Url => Endpoint.Url,
        EndpointProperty.Host or EndpointProperty.IPV4Host => Endpoint.Host,
        EndpointProperty.Port => Text(Endpoint.Port),
        EndpointProperty.Scheme => Endpoint.Scheme,
        EndpointProperty.TargetPort => Text(Endpoint.TargetPort ?? Endpoint.Port),
        EndpointProperty.HostAndPort => $"{Endpoint.Host}:{Text(Endpoint.Port)}",
        _ => throw new InvalidOperationException($"Unknown endpoint property {Property}."),
    });

    static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
