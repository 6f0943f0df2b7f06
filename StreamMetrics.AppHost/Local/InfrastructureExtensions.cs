using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using StreamMetrics.AppHost.Kafka;

namespace StreamMetrics.AppHost.Local;

static class InfrastructureExtensions
{
    const string LocalRetentionBytes = "1073741824";

    // A developer looks at the figures as they change; OpenTelemetry's own interval is a minute.
    const string LocalMetricIntervalMs = "5000";

    /// <summary>The hot store. What is in it can be computed again, so it is not backed up.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddRedisStore(this IDistributedApplicationBuilder builder, Infrastructure infrastructure)
    {
        const string name = Infrastructure.RedisName;
        var port = infrastructure.Ports.Redis;
        switch (infrastructure.Redis)
        {
            case Source.Configured:
                return builder.AddConnectionString(name);
            case Source.Containers:
                return builder.AddRedis(name, HostPort(builder, port)).WithImageTag("8.6").WithDataVolume("redis-data");
            default:
                const string server = "redis-server";
                builder.Services.AddHealthChecks().AddCheck(server, ServerProbe.Redis(port));
                var redis = builder.AddExecutable(server, infrastructure.Script("redis.sh"), ".", infrastructure.DataOf(name), Text(port))
                    .WithHealthCheck(server);
                return builder.AddConnectionString(name, ReferenceExpression.Create($"127.0.0.1:{Text(port)}")).WaitFor(redis);
        }
    }

    /// <summary>The cold store: a PostgreSQL server and the product's database in it.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddPostgresStore(this IDistributedApplicationBuilder builder, Infrastructure infrastructure)
    {
        const string server = Infrastructure.PostgresName;
        const string database = Infrastructure.DatabaseName;
        var port = infrastructure.Ports.Postgres;
        switch (infrastructure.Postgres)
        {
            case Source.Configured:
                return builder.AddConnectionString(database);
            case Source.Containers:
                return builder.AddPostgres(server, port: HostPort(builder, port)).WithImageTag("17.6").WithDataVolume("postgres-data").AddDatabase(database);
            default:
                builder.Services.AddHealthChecks().AddCheck(server, ServerProbe.Postgres(port, database));
                var postgres = builder.AddExecutable(
                        server, infrastructure.Script("postgres.sh"), ".", infrastructure.DataOf(server), Text(port), database)
                    .WithHealthCheck(server);
                return builder
                    .AddConnectionString(database, ReferenceExpression.Create($"Host=127.0.0.1;Port={Text(port)};Username=postgres;Database={database}"))
                    .WaitFor(postgres);
        }
    }

    /// <summary>
    /// The service gets the connection strings of these servers and starts when they are there. Only connection strings: the other variables
    /// that Aspire would add are in forms that the tools which read the manifest do not know.
    /// </summary>
    public static IResourceBuilder<ProjectResource> Uses(
        this IResourceBuilder<ProjectResource> service, params ReadOnlySpan<IResourceBuilder<IResourceWithConnectionString>> servers)
    {
        service.WithReferenceEnvironment(ReferenceEnvironmentInjectionFlags.ConnectionString | ReferenceEnvironmentInjectionFlags.ServiceDiscovery);
        foreach (var server in servers) service.WithReference(server).WaitFor(server);
        return service;
    }

    /// <summary>Settings that only hold on a developer's machine: where data go, and how much of them is kept.</summary>
    public static IResourceBuilder<ProjectResource> WithLocalSettings(
        this IResourceBuilder<ProjectResource> service, Infrastructure infrastructure, string? dataDirectoryKey = null)
    {
        if (service.ApplicationBuilder.ExecutionContext.IsPublishMode) return service;
        service.WithEnvironment("OTEL_METRIC_EXPORT_INTERVAL", LocalMetricIntervalMs).WithEnvironment("OTEL_BSP_SCHEDULE_DELAY", "1000");
        if (infrastructure.Kafka != Source.Configured) service.WithEnvironment("Kafka__Topics__RetentionBytes", LocalRetentionBytes);
        else service.WithKafkaSecurity();
        return dataDirectoryKey is null ? service : service.WithEnvironment(dataDirectoryKey, infrastructure.DataOf(service.Resource.Name));
    }

    /// <summary>
    /// A fixed name in its consumer group for a service that runs once on a developer's machine: after a kill it has its partitions back at
    /// once. In a cluster it may have several replicas, which must not have the same name.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithLocalInstanceId(this IResourceBuilder<ProjectResource> service, string key) =>
        service.ApplicationBuilder.ExecutionContext.IsPublishMode ? service : service.WithEnvironment(key, service.Resource.Name);

    /// <summary>A fixed port on a developer's machine; none in the manifest, where each service has an address of its own.</summary>
    public static int? HostPort(this IDistributedApplicationBuilder builder, int port) => builder.ExecutionContext.IsPublishMode ? null : port;

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
