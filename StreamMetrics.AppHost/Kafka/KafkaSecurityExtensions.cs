using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace StreamMetrics.AppHost.Kafka;

/// <summary>Hands <c>Kafka:Security</c> of the AppHost's own configuration to the services, for a cluster that exists already and demands it.</summary>
static class KafkaSecurityExtensions
{
    const string Section = "Kafka:Security";

    static readonly string[] Settings = ["Protocol", "Mechanism", "User", "CaFile", "CertificateFile", "KeyFile"];

    // Passwords are parameters, so that they are kept as the others are (user secrets, environment) and no tool shows them.
    static readonly (string Setting, string Parameter)[] Secrets = [("Password", "kafkaPassword"), ("KeyPassword", "kafkaKeyPassword")];

    /// <summary>
    /// The service gets every setting that is there; passwords from the secret parameters <c>kafkaPassword</c> and <c>kafkaKeyPassword</c>
    /// (<c>Parameters:kafkaPassword</c> …) when these have a value.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithKafkaSecurity(this IResourceBuilder<ProjectResource> service)
    {
        var builder = service.ApplicationBuilder;
        foreach (var setting in Settings)
        {
            if (builder.Configuration[$"{Section}:{setting}"] is { Length: > 0 } value) service.WithEnvironment($"Kafka__Security__{setting}", value);
        }

        foreach (var (setting, parameter) in Secrets)
        {
            if (string.IsNullOrEmpty(builder.Configuration[$"Parameters:{parameter}"])) continue;
            service.WithEnvironment($"Kafka__Security__{setting}", Parameter(builder, parameter));
        }

        return service;
    }

    /// <summary>The parameter, once for all services.</summary>
    static IResourceBuilder<ParameterResource> Parameter(IDistributedApplicationBuilder builder, string name)
    {
        var known = builder.Resources.OfType<ParameterResource>().FirstOrDefault(resource => resource.Name == name);
        return known is null ? builder.AddParameter(name, secret: true) : builder.CreateResourceBuilder(known);
    }
}
