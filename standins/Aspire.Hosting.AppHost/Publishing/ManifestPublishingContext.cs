using System.Text.Json;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Publishing;

/// <summary>Writes the parts of a resource into the manifest.</summary>
public sealed class ManifestPublishingContext(
    DistributedApplicationExecutionContext executionContext, string manifestPath, Utf8JsonWriter writer, CancellationToken cancellationToken = default)
{
    public DistributedApplicationExecutionContext ExecutionContext { get; } = executionContext;

    public string ManifestPath { get; } = manifestPath;

    public Utf8JsonWriter Writer { get; } = writer;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>Resources that what was written so far refers to: generated passwords are in the manifest only for that.</summary>
    internal HashSet<IResource> Referenced { get; } = [];

    /// <summary>A path as it stands in the manifest: relative to the manifest, with forward slashes.</summary>
    public string? GetManifestRelativePath(string? path) =>
        path is null ? null : Path.GetRelativePath(Path.GetDirectoryName(Path.GetFullPath(ManifestPath))!, path).Replace('\\', '/');

    public void WriteConnectionString(IResource resource)
    {
        if (resource is IResourceWithConnectionString source)
        {
            Writer.WriteString("connectionString", Expression(source.ConnectionStringExpression));
        }
    }

    public async Task WriteEnvironmentVariablesAsync(IResource resource)
    {
        var context = new EnvironmentCallbackContext(ExecutionContext, resource, cancellationToken: CancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>().ToArray())
        {
            await annotation.Callback(context).ConfigureAwait(false);
        }

        if (context.EnvironmentVariables.Count == 0) return;
        Writer.WriteStartObject("env");
        foreach (var (name, value) in context.EnvironmentVariables) Writer.WriteString(name, Expression(value));
        Writer.WriteEndObject();
    }

    public async Task WriteArgumentsAsync(IResource resource)
    {
        var args = new List<object>();
        var context = new CommandLineArgsCallbackContext(args, ExecutionContext, CancellationToken);
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>().ToArray())
        {
            await annotation.Callback(context).ConfigureAwait(false);
        }

        if (args.Count == 0) return;
        Writer.WriteStartArray("args");
        foreach (var arg in args) Writer.WriteStringValue(Expression(arg));
        Writer.WriteEndArray();
    }

    public void WriteBindings(IResource resource)
    {
        var endpoints = resource.Annotations.OfType<EndpointAnnotation>().ToArray();
        if (endpoints.Length == 0) return;
        Writer.WriteStartObject("bindings");
        foreach (var endpoint in endpoints)
        {
            Writer.WriteStartObject(endpoint.Name);
            Writer.WriteString("scheme", endpoint.UriScheme);
            Writer.WriteString("protocol", endpoint.Protocol.ToString().ToLowerInvariant());
            Writer.WriteString("transport", endpoint.Transport);
            if (endpoint.Port is { } port) Writer.WriteNumber("port", port);
            if (endpoint.TargetPort is { } targetPort) Writer.WriteNumber("targetPort", targetPort);
            if (endpoint.IsExternal) Writer.WriteBoolean("external", true);
            Writer.WriteEndObject();
        }

        Writer.WriteEndObject();
    }

    string Expression(object value)
    {
        Track(value);
        return value switch
        {
            string text => text,
            IManifestExpressionProvider provider => provider.ValueExpression,
            _ => value.ToString() ?? "",
        };
    }

    void Track(object value)
    {
        if (value is IResource resource && !Referenced.Add(resource)) return;
        if (value is not IValueWithReferences references) return;
        foreach (var reference in references.References) Track(reference);
    }
}
