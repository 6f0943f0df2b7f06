using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

public static class ParameterResourceBuilderExtensions
{
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, _ => Value(builder, name), secret));

    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false) =>
        builder.AddResource(new ParameterResource(name, _ => Value(builder, name), secret) { Default = value });

    /// <summary>A password that is made up at deployment.</summary>
    public static ParameterResource CreateDefaultPasswordParameter(
        IDistributedApplicationBuilder builder, string name, bool lower = true, bool upper = true, bool numeric = true, bool special = true) =>
        new(name, _ => Value(builder, name), secret: true)
        {
            Default = new GenerateParameterDefault { MinLength = 22, Lower = lower, Upper = upper, Numeric = numeric, Special = special },
        };

    /// <summary>An existing server, told by <c>ConnectionStrings:name</c>.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddConnectionString(
        this IDistributedApplicationBuilder builder, string name, string? environmentVariableName = null)
    {
        if (environmentVariableName is not null)
        {
            throw new NotSupportedException("Another environment variable name needs the real package Aspire.Hosting.AppHost.");
        }

        return builder.AddResource(new ConfiguredConnectionStringResource(name, () => builder.Configuration.GetConnectionString(name)
            ?? throw new DistributedApplicationException($"Connection string parameter resource could not be used because connection string '{name}' is missing.")));
    }

    static string Value(IDistributedApplicationBuilder builder, string name) => builder.Configuration[$"Parameters:{name}"]
        ?? throw new DistributedApplicationException($"Parameter resource could not be used because configuration key 'Parameters:{name}' is missing.");
}

sealed class ConfiguredConnectionStringResource(string name, Func<string> value) : ParameterResource(name, _ => value(), secret: true), IResourceWithConnectionString
{
    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{(ParameterResource)this}");

    string IManifestExpressionProvider.ValueExpression => $"{{{Name}.connectionString}}";
}

public sealed class ConnectionStringResource(string name, ReferenceExpression connectionStringExpression)
    : Resource(name), IResourceWithConnectionString, IResourceWithWaitSupport
{
    public ReferenceExpression ConnectionStringExpression { get; } = connectionStringExpression;
}

public static class ConnectionStringBuilderExtensions
{
    public static IResourceBuilder<ConnectionStringResource> AddConnectionString(
        this IDistributedApplicationBuilder builder, string name, ReferenceExpression connectionStringExpression) =>
        builder.AddResource(new ConnectionStringResource(name, connectionStringExpression));
}

public static class ExecutableResourceBuilderExtensions
{
    public static IResourceBuilder<ExecutableResource> AddExecutable(
        this IDistributedApplicationBuilder builder, string name, string command, string workingDirectory, params string[]? args)
    {
        var directory = Path.GetFullPath(Path.Combine(builder.AppHostDirectory, workingDirectory));
        var resource = builder.AddResource(new ExecutableResource(name, command, directory));
        return args is { Length: > 0 } ? resource.WithArgs(args) : resource;
    }
}

public static class ContainerResourceBuilderExtensions
{
    public static IResourceBuilder<ContainerResource> AddContainer(this IDistributedApplicationBuilder builder, string name, string image, string tag) =>
        builder.AddResource(new ContainerResource(name)).WithImage(image, tag);

    public static IResourceBuilder<T> WithImage<T>(this IResourceBuilder<T> builder, string image, string? tag = null)
        where T : ContainerResource
    {
        if (!builder.Resource.TryGetLastAnnotation<ContainerImageAnnotation>(out var annotation))
        {
            annotation = new() { Image = image };
            builder.WithAnnotation(annotation);
        }

        annotation.Image = image;
        annotation.Tag = tag ?? annotation.Tag;
        return builder;
    }

    public static IResourceBuilder<T> WithImageTag<T>(this IResourceBuilder<T> builder, string tag)
        where T : ContainerResource
    {
        Image(builder).Tag = tag;
        return builder;
    }

    public static IResourceBuilder<T> WithImageRegistry<T>(this IResourceBuilder<T> builder, string? registry)
        where T : ContainerResource
    {
        Image(builder).Registry = registry;
        return builder;
    }

    public static IResourceBuilder<T> WithEntrypoint<T>(this IResourceBuilder<T> builder, string entrypoint)
        where T : ContainerResource
    {
        builder.Resource.Entrypoint = entrypoint;
        return builder;
    }

    public static IResourceBuilder<T> WithVolume<T>(this IResourceBuilder<T> builder, string? name, string target, bool isReadOnly = false)
        where T : ContainerResource => builder.WithAnnotation(new ContainerMountAnnotation(name, target, ContainerMountType.Volume, isReadOnly));

    static ContainerImageAnnotation Image<T>(IResourceBuilder<T> builder)
        where T : ContainerResource =>
        builder.Resource.TryGetLastAnnotation<ContainerImageAnnotation>(out var image)
            ? image
            : throw new InvalidOperationException($"The resource '{builder.Resource.Name}' has no image to change.");
}
