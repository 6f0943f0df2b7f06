using System.Globalization;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

// In the real package these are methods of ResourceBuilderExtensions; extension methods are found all the same.
public static class EnvironmentExtensions
{
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment => builder.Set(name, value ?? "");

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, Func<string> callback)
        where T : IResourceWithEnvironment => builder.WithEnvironment(context => context.EnvironmentVariables[name] = callback());

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, EndpointReference endpointReference)
        where T : IResourceWithEnvironment => builder.Set(name, endpointReference);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, ReferenceExpression value)
        where T : IResourceWithEnvironment => builder.Set(name, value);

    public static IResourceBuilder<T> WithEnvironment<T>(
        this IResourceBuilder<T> builder, string name, in ReferenceExpression.ExpressionInterpolatedStringHandler value)
        where T : IResourceWithEnvironment => builder.Set(name, ReferenceExpression.Create(value));

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment => builder.Set(name, parameter.Resource);

    public static IResourceBuilder<T> WithEnvironment<T>(
        this IResourceBuilder<T> builder, string envVarName, IResourceBuilder<IResourceWithConnectionString> resource)
        where T : IResourceWithEnvironment => builder.Set(envVarName, resource.Resource);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, Action<EnvironmentCallbackContext> callback)
        where T : IResourceWithEnvironment => builder.WithAnnotation(ResourceBuilderExtensions.Environment(callback));

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, Func<EnvironmentCallbackContext, Task> callback)
        where T : IResourceWithEnvironment => builder.WithAnnotation(new EnvironmentCallbackAnnotation(callback));

    /// <summary>Chooses what <c>WithReference</c> puts into the environment.</summary>
    public static IResourceBuilder<TDestination> WithReferenceEnvironment<TDestination>(
        this IResourceBuilder<TDestination> builder, ReferenceEnvironmentInjectionFlags flags)
        where TDestination : IResourceWithEnvironment =>
        builder.WithAnnotation(new ReferenceEnvironmentInjectionAnnotation(flags), ResourceAnnotationMutationBehavior.Replace);

    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder,
        IResourceBuilder<IResourceWithConnectionString> source,
        string? connectionName = null,
        bool optional = false)
        where TDestination : IResourceWithEnvironment
    {
        if (optional) throw new NotSupportedException("Optional connection strings need the real package Aspire.Hosting.AppHost.");
        return builder.WithEnvironment(context =>
        {
            var flags = Flags(builder.Resource);
            if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ConnectionProperties))
            {
                throw new NotSupportedException(
                    "Connection properties (REDIS_HOST …) need the real package Aspire.Hosting.AppHost; choose others with WithReferenceEnvironment.");
            }

            if (!flags.HasFlag(ReferenceEnvironmentInjectionFlags.ConnectionString)) return;
            var name = source.Resource.ConnectionStringEnvironmentVariable ?? $"ConnectionStrings__{connectionName ?? source.Resource.Name}";
            context.EnvironmentVariables[name] = source.Resource;
        });
    }

    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment => builder.WithEnvironment(context =>
        {
            foreach (var endpoint in source.Resource.GetEndpoints()) AddEndpoint(builder.Resource, context, endpoint);
        });

    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, EndpointReference endpointReference)
        where TDestination : IResourceWithEnvironment => builder.WithEnvironment(context => AddEndpoint(builder.Resource, context, endpointReference));

    static void AddEndpoint(IResource destination, EnvironmentCallbackContext context, EndpointReference endpoint)
    {
        var flags = Flags(destination);
        var service = endpoint.Resource.Name;
        if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ServiceDiscovery))
        {
            var index = 0;
            string name;
            do name = string.Create(CultureInfo.InvariantCulture, $"services__{service}__{endpoint.EndpointName}__{index++}");
            while (context.EnvironmentVariables.ContainsKey(name));
            context.EnvironmentVariables[name] = endpoint;
        }

        if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.Endpoints))
        {
            context.EnvironmentVariables[$"{Upper(service)}_{Upper(endpoint.EndpointName)}"] = endpoint;
        }
    }

    static ReferenceEnvironmentInjectionFlags Flags(IResource resource) =>
        resource.TryGetLastAnnotation<ReferenceEnvironmentInjectionAnnotation>(out var annotation)
            ? annotation.Flags
            : ReferenceEnvironmentInjectionFlags.All;

    static string Upper(string name) => name.Replace('-', '_').ToUpperInvariant();

    static IResourceBuilder<T> Set<T>(this IResourceBuilder<T> builder, string name, object value)
        where T : IResourceWithEnvironment => builder.WithEnvironment(context => context.EnvironmentVariables[name] = value);
}
