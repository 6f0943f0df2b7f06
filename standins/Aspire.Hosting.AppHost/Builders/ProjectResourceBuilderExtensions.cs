using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static class ProjectResourceBuilderExtensions
{
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
    {
        var resource = builder.AddResource(new ProjectResource(name)).WithAnnotation(new TProject());
        return resource
            .WithEnvironment("OTEL_DOTNET_EXPERIMENTAL_OTLP_EMIT_EXCEPTION_LOG_ATTRIBUTES", "true")
            .WithEnvironment("OTEL_DOTNET_EXPERIMENTAL_OTLP_EMIT_EVENT_LOG_ATTRIBUTES", "true")
            .WithEnvironment("OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY", "in_memory")
            .WithEnvironment(context =>
            {
                if (context.ExecutionContext.IsRunMode) AddTelemetry(builder, resource.Resource, context);
            })
            .WithEnvironment(context =>
            {
                // When it runs, the orchestrator says where each replica listens.
                if (context.ExecutionContext.IsPublishMode) AddPublishedAddresses(resource.Resource, context);
            });
    }

    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas) =>
        builder.WithAnnotation(new ReplicaAnnotation(replicas), ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Where a receiver is configured, each program gets its address; the orchestrator adds the id of the replica.</summary>
    static void AddTelemetry(IDistributedApplicationBuilder builder, ProjectResource resource, EnvironmentCallbackContext context)
    {
        context.EnvironmentVariables["OTEL_SERVICE_NAME"] = resource.Name;
        var receiver = builder.Configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"];
        if (string.IsNullOrEmpty(receiver)) return;
        context.EnvironmentVariables["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver;
        context.EnvironmentVariables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";
    }

    static void AddPublishedAddresses(ProjectResource resource, EnvironmentCallbackContext context)
    {
        context.EnvironmentVariables["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true";
        var ports = new ReferenceExpressionBuilder();
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.UriScheme == "http"))
        {
            if (!ports.IsEmpty) ports.AppendLiteral(";");
            ports.AppendFormatted(resource.GetEndpoint(endpoint.Name).Property(EndpointProperty.TargetPort));
        }

        if (!ports.IsEmpty) context.EnvironmentVariables["HTTP_PORTS"] = ports.Build();
    }
}

public static class ProjectMetadataExtensions
{
    public static IProjectMetadata GetProjectMetadata(this ProjectResource projectResource) =>
        projectResource.Annotations.OfType<IProjectMetadata>().Single();
}
