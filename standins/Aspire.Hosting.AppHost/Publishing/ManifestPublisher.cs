using System.Text.Encodings.Web;
using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting.Publishing;

/// <summary>
/// Writes the application model as Aspire's deployment manifest (schema aspire-8.0.json): what the command line
/// <c>--publisher manifest --output-path FILE</c> asks for.
/// </summary>
sealed class ManifestPublisher(
    DistributedApplicationModel model,
    DistributedApplicationExecutionContext executionContext,
    IConfiguration configuration,
    IConsoleWriter console,
    string appHostDirectory)
{
    const string Schema = "https://json.schemastore.org/aspire-8.0.json";

    public async Task PublishAsync(CancellationToken cancellationToken)
    {
        var publisher = configuration["Publishing:Publisher"] ?? configuration["publisher"];
        if (publisher != "manifest") throw new NotSupportedException($"The publisher '{publisher}' needs the real package Aspire.Hosting.AppHost.");
        var output = configuration["Publishing:OutputPath"] ?? configuration["output-path"]
            ?? throw new DistributedApplicationException("The '--output-path [path]' option was not specified even though '--publisher manifest' argument was used.");
        var path = Path.GetFullPath(output.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? output : Path.Combine(output, "aspire-manifest.json"));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using (var file = File.Create(path))
        {
            await WriteAsync(file, path, cancellationToken).ConfigureAwait(false);
        }

        console.WriteLine($"Published manifest to: {path}");
    }

    async Task WriteAsync(Stream file, string path, CancellationToken cancellationToken)
    {
        await using var writer = new Utf8JsonWriter(file, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        var context = new ManifestPublishingContext(executionContext, path, writer, cancellationToken);
        writer.WriteStartObject();
        writer.WriteString("$schema", Schema);
        writer.WriteStartObject("resources");
        foreach (var resource in model.Resources) await WriteResourceAsync(context, resource).ConfigureAwait(false);
        foreach (var parameter in context.Referenced.OfType<ParameterResource>().Except(model.Resources).OrderBy(r => r.Name, StringComparer.Ordinal))
        {
            await WriteResourceAsync(context, parameter).ConfigureAwait(false);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
        await writer.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    async Task WriteResourceAsync(ManifestPublishingContext context, IResource resource)
    {
        Func<ManifestPublishingContext, Task> write;
        if (resource.TryGetLastAnnotation<ManifestPublishingCallbackAnnotation>(out var callback))
        {
            if (callback.Callback is null) return;
            write = callback.Callback;
        }
        else
        {
            write = resource switch
            {
                ProjectResource project => c => WriteProjectAsync(c, project),
                ContainerResource container => c => WriteContainerAsync(c, container),
                ConfiguredConnectionStringResource connection => c => Write(c, () => WriteConnectionParameter(c, connection)),
                ParameterResource parameter => c => Write(c, () => WriteParameter(c, parameter)),
                IResourceWithConnectionString => c => Write(c, () => WriteValue(c, resource)),
                _ => throw new NotSupportedException(
                    $"Resource '{resource.Name}' of type {resource.GetType().Name} in the manifest needs the real package Aspire.Hosting.AppHost."),
            };
        }

        context.Writer.WriteStartObject(resource.Name);
        await write(context).ConfigureAwait(false);
        context.Writer.WriteEndObject();
    }

    async Task WriteProjectAsync(ManifestPublishingContext context, ProjectResource project)
    {
        context.Writer.WriteString("type", "project.v0");
        context.Writer.WriteString("path", context.GetManifestRelativePath(Path.Combine(appHostDirectory, project.GetProjectMetadata().ProjectPath)));
        await context.WriteArgumentsAsync(project).ConfigureAwait(false);
        await context.WriteEnvironmentVariablesAsync(project).ConfigureAwait(false);
        context.WriteBindings(project);
    }

    static async Task WriteContainerAsync(ManifestPublishingContext context, ContainerResource container)
    {
        if (!container.TryGetLastAnnotation<ContainerImageAnnotation>(out var image))
        {
            throw new DistributedApplicationException($"Could not get container image name for '{container.Name}'.");
        }

        context.Writer.WriteString("type", "container.v0");
        context.WriteConnectionString(container);
        var name = image.Registry is null ? image.Image : $"{image.Registry}/{image.Image}";
        context.Writer.WriteString("image", image.Tag is null ? name : $"{name}:{image.Tag}");
        if (container.Entrypoint is not null) context.Writer.WriteString("entrypoint", container.Entrypoint);
        await context.WriteArgumentsAsync(container).ConfigureAwait(false);
        WriteVolumes(context, container);
        await context.WriteEnvironmentVariablesAsync(container).ConfigureAwait(false);
        context.WriteBindings(container);
    }

    static void WriteVolumes(ManifestPublishingContext context, ContainerResource container)
    {
        var volumes = container.Annotations.OfType<ContainerMountAnnotation>().Where(m => m.Type == ContainerMountType.Volume).ToArray();
        if (volumes.Length == 0) return;
        context.Writer.WriteStartArray("volumes");
        foreach (var volume in volumes)
        {
            context.Writer.WriteStartObject();
            if (volume.Source is not null) context.Writer.WriteString("name", volume.Source);
            context.Writer.WriteString("target", volume.Target);
            context.Writer.WriteBoolean("readOnly", volume.IsReadOnly);
            context.Writer.WriteEndObject();
        }

        context.Writer.WriteEndArray();
    }

    static void WriteParameter(ManifestPublishingContext context, ParameterResource parameter)
    {
        context.Writer.WriteString("type", "parameter.v0");
        WriteInput(context, parameter);
    }

    static void WriteConnectionParameter(ManifestPublishingContext context, ConfiguredConnectionStringResource connection)
    {
        context.Writer.WriteString("type", "parameter.v0");
        context.Writer.WriteString("connectionString", $"{{{connection.Name}.value}}");
        WriteInput(context, connection);
    }

    static void WriteInput(ManifestPublishingContext context, ParameterResource parameter)
    {
        context.Writer.WriteString("value", $"{{{parameter.Name}.inputs.value}}");
        context.Writer.WriteStartObject("inputs");
        context.Writer.WriteStartObject("value");
        context.Writer.WriteString("type", "string");
        if (parameter.Secret) context.Writer.WriteBoolean("secret", true);
        if (parameter.Default is GenerateParameterDefault generate) WriteGenerate(context, generate);
        context.Writer.WriteEndObject();
        context.Writer.WriteEndObject();
    }

    static void WriteGenerate(ManifestPublishingContext context, GenerateParameterDefault generate)
    {
        context.Writer.WriteStartObject("default");
        context.Writer.WriteStartObject("generate");
        context.Writer.WriteNumber("minLength", generate.MinLength);
        if (!generate.Lower) context.Writer.WriteBoolean("lower", false);
        if (!generate.Upper) context.Writer.WriteBoolean("upper", false);
        if (!generate.Numeric) context.Writer.WriteBoolean("numeric", false);
        if (!generate.Special) context.Writer.WriteBoolean("special", false);
        context.Writer.WriteEndObject();
        context.Writer.WriteEndObject();
    }

    static void WriteValue(ManifestPublishingContext context, IResource resource)
    {
        context.Writer.WriteString("type", "value.v0");
        context.WriteConnectionString(resource);
    }

    static Task Write(ManifestPublishingContext context, Action write)
    {
        context.CancellationToken.ThrowIfCancellationRequested();
        write();
        return Task.CompletedTask;
    }
}
