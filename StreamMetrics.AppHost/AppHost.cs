using System.Globalization;
using Aspire.Hosting;
using StreamMetrics.AppHost;
using StreamMetrics.AppHost.Commands;
using StreamMetrics.AppHost.Display;
using StreamMetrics.AppHost.Kafka;
using StreamMetrics.AppHost.Local;

try
{
    var options = AppHostOptions.Parse(args);
    if (options.Help)
    {
        Console.WriteLine(AppHostOptions.Usage);
        return 0;
    }

    var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
    {
        Args = AspireDashboard.WithSettings(options),
        DisableDashboard = !options.Dashboard,
    });
    var infrastructure = await Infrastructure.DecideAsync(builder, options);
    var ports = infrastructure.Ports;

    var kafka = builder.AddKafkaCluster(Infrastructure.KafkaName, infrastructure);

    var redis = builder.AddRedisStore(infrastructure);

    var database = builder.AddPostgresStore(infrastructure);

    if (options.KafkaUi) builder.AddKafkaUi(kafka, infrastructure);

    builder.AddProject<Projects.StreamMetrics_LoadGenerator>("loadgenerator")
        .WithHttpEndpoint(builder.HostPort(ports.LoadGenerator))
        .WithHttpHealthCheck("/health")
        .WithUrlForEndpoint("http", url => (url.Url, url.DisplayText) = ("/ledger", "Ledger"))
        .WithLoadCommands()
        .WithEnvironment("LoadGenerator__EventsPerSecond", options.EventsPerSecond.ToString(CultureInfo.InvariantCulture))
        .WithLocalSettings(infrastructure, "LoadGenerator__DataDirectory")
        .Uses(kafka);

    builder.AddProject<Projects.StreamMetrics_Aggregator>("aggregator")
        .WithReplicas(options.Aggregators)
        .WithHttpEndpoint()
        .WithHttpHealthCheck("/health")
        .WithUrlForEndpoint("http", url => (url.Url, url.DisplayText) = ("/health", "Health"))
        .WithLocalSettings(infrastructure, "Aggregator__DataDirectory")
        .Uses(kafka, redis);

    builder.AddProject<Projects.StreamMetrics_Archiver>("archiver")
        .WithHttpEndpoint()
        .WithHttpHealthCheck("/health")
        .WithUrlForEndpoint("http", url => (url.Url, url.DisplayText) = ("/health", "Health"))
        .WithLocalSettings(infrastructure, "Archiver__Archive__Directory")
        .WithLocalInstanceId("Archiver__InstanceId")
        .Uses(kafka, redis, database);

    builder.AddProject<Projects.StreamMetrics_Query>("query")
        .WithHttpEndpoint(builder.HostPort(ports.Query))
        .WithExternalHttpEndpoints()
        .WithHttpHealthCheck("/health")
        .WithUrlForEndpoint("http", url => (url.Url, url.DisplayText) = ("/docs", "API docs"))
        .WithUrlForEndpoint("http", _ => new() { Url = "/graphql", DisplayText = "GraphQL" })
        .WithUrlForEndpoint("http", _ => new() { Url = "/api/v1/services", DisplayText = "Services" })
        .WithUrlForEndpoint("http", _ => new() { Url = "/api/v1/pipeline", DisplayText = "Pipeline" })
        .WithReplayCommand()
        .WithLocalSettings(infrastructure)
        .Uses(kafka, redis, database);

    builder.AddRunDisplay(ports);

    await using var app = builder.Build();
    await app.RunAsync();
    return Environment.ExitCode;
}
catch (Exception e) when (e is AppHostException or DistributedApplicationException)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}
