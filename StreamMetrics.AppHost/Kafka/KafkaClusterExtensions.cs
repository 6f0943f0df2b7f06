using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using StreamMetrics.AppHost.Local;

namespace StreamMetrics.AppHost.Kafka;

static class KafkaClusterExtensions
{
    const string Image = "apache/kafka";
    const string Tag = "4.1.1";

    // 16 bytes in URL-safe base64, as Kafka wants it; every broker of the cluster has the same.
    const string ClusterId = "c3RyZWFtbWV0cmljcw";

    /// <summary>The cluster of three brokers, from where <paramref name="infrastructure"/> says.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddKafkaCluster(
        this IDistributedApplicationBuilder builder, string name, Infrastructure infrastructure) => infrastructure.Kafka switch
        {
            Source.Configured => builder.AddConnectionString(name),
            Source.Containers => builder.AddContainerBrokers(name, infrastructure.Ports),
            _ when infrastructure.KafkaHome is { } home => builder.AddLocalBrokers(name, home, infrastructure),
            _ => builder.AddEmbeddedBroker(name, infrastructure),
        };

    /// <summary>A web page of topics, groups and records. Only when asked: nothing of ours needs it.</summary>
    /// <exception cref="AppHostException">Kafka does not run in containers.</exception>
    public static void AddKafkaUi(this IDistributedApplicationBuilder builder, IResourceBuilder<IResourceWithConnectionString> kafka, Infrastructure infrastructure)
    {
        if (infrastructure.Kafka != Source.Containers)
        {
            throw new AppHostException("--kafka-ui needs Kafka in containers, and so a Docker or Podman that answers: it is an image itself, and cannot reach brokers on 127.0.0.1");
        }

        // Inside the network of containers the brokers have their own names and port.
        var servers = string.Join(',', Enumerable.Range(1, LocalPorts.Brokers).Select(id => $"{Infrastructure.KafkaName}-{Text(id)}:9092"));
        builder.AddContainer("kafka-ui", "kafbat/kafka-ui", "v1.3.0")
            .WithHttpEndpoint(builder.HostPort(infrastructure.Ports.KafkaUi), targetPort: 8080)
            .WithHttpHealthCheck("/actuator/health")
            .WithUrlForEndpoint("http", url => url.DisplayText = "Kafka UI")
            .WithEnvironment("KAFKA_CLUSTERS_0_NAME", "streammetrics")
            .WithEnvironment("KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS", servers)
            .WaitFor(kafka);
    }

    static IResourceBuilder<KafkaClusterResource> AddLocalBrokers(
        this IDistributedApplicationBuilder builder, string name, string kafkaHome, Infrastructure infrastructure)
    {
        var ports = infrastructure.Ports;
        var brokers = Enumerable.Range(1, LocalPorts.Brokers).Select(id =>
        {
            var broker = $"{name}-{Text(id)}";
            builder.Services.AddHealthChecks().AddCheck(broker, ServerProbe.Kafka(ports.Kafka + id - 1));
            return builder.AddExecutable(
                    broker,
                    infrastructure.Script("kafka-broker.sh"),
                    ".",
                    kafkaHome,
                    infrastructure.DataOf(broker),
                    Text(id),
                    Text(LocalPorts.Brokers),
                    Text(ports.Kafka),
                    Text(ports.KafkaControllers))
                .WithHealthCheck(broker);
        }).ToArray();
        return builder.AddCluster(name, ReferenceExpression.Create($"{ports.KafkaServers}"), brokers);
    }

    static IResourceBuilder<KafkaClusterResource> AddEmbeddedBroker(
        this IDistributedApplicationBuilder builder, string name, Infrastructure infrastructure)
    {
        var ports = infrastructure.Ports;
        var broker = $"{name}-embedded";
        builder.Services.AddHealthChecks().AddCheck(broker, ServerProbe.Kafka(ports.Kafka));
        var embedded = builder.AddProject<Projects.StreamMetrics_EmbeddedKafka_Host>(broker)
            .WithEnvironment("EmbeddedKafka__Data", infrastructure.DataOf(broker))
            .WithEnvironment("EmbeddedKafka__Port", Text(ports.Kafka))
            .WithEnvironment("EmbeddedKafka__Brokers", Text(LocalPorts.Brokers))
            .WithHealthCheck(broker);
        return builder.AddCluster(name, ReferenceExpression.Create($"{ports.KafkaServers}"), embedded);
    }

    static IResourceBuilder<KafkaClusterResource> AddContainerBrokers(this IDistributedApplicationBuilder builder, string name, LocalPorts ports)
    {
        var isPublish = builder.ExecutionContext.IsPublishMode;
        var names = Enumerable.Range(1, LocalPorts.Brokers).Select(id => $"{name}-{Text(id)}").ToArray();
        var servers = new ReferenceExpressionBuilder();
        var brokers = new List<IResourceBuilder<ContainerResource>>();
        for (var id = 1; id <= names.Length; id++)
        {
            var hostPort = ports.Kafka + id - 1;
            var broker = builder.AddContainer(names[id - 1], Image, Tag)
                .WithBrokerSettings(id, names, isPublish ? null : hostPort)
                .WithVolume($"{names[id - 1]}-data", "/var/lib/kafka/data");

            // Inside a cluster of containers everybody uses the broker's own port; on a developer's machine the services run outside.
            broker = isPublish
                ? broker.WithEndpoint(targetPort: 9092, name: "tcp").WithEndpoint(targetPort: 9093, name: "controller")
                : broker.WithEndpoint(port: hostPort, targetPort: hostPort, name: "tcp", isProxied: false);
            if (!isPublish)
            {
                builder.Services.AddHealthChecks().AddCheck(names[id - 1], ServerProbe.Kafka(hostPort));
                broker.WithHealthCheck(names[id - 1]);
            }

            if (!servers.IsEmpty) servers.AppendLiteral(",");
            servers.AppendFormatted(broker.GetEndpoint("tcp").Property(EndpointProperty.HostAndPort));
            brokers.Add(broker);
        }

        return builder.AddCluster(name, servers.Build(), [.. brokers]);
    }

    static IResourceBuilder<ContainerResource> WithBrokerSettings(
        this IResourceBuilder<ContainerResource> broker, int id, string[] names, int? hostPort)
    {
        var outside = hostPort is { } port ? $",OUTSIDE://:{Text(port)}" : "";
        var advertisedOutside = hostPort is { } p ? $",OUTSIDE://127.0.0.1:{Text(p)}" : "";
        return broker
            .WithEnvironment("CLUSTER_ID", ClusterId)
            .WithEnvironment("KAFKA_NODE_ID", Text(id))
            .WithEnvironment("KAFKA_PROCESS_ROLES", "broker,controller")
            .WithEnvironment("KAFKA_CONTROLLER_QUORUM_VOTERS", string.Join(',', names.Select((n, i) => $"{Text(i + 1)}@{n}:9093")))
            .WithEnvironment("KAFKA_LISTENERS", $"PLAINTEXT://:9092,CONTROLLER://:9093{outside}")
            .WithEnvironment("KAFKA_ADVERTISED_LISTENERS", $"PLAINTEXT://{names[id - 1]}:9092{advertisedOutside}")
            .WithEnvironment("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OUTSIDE:PLAINTEXT")
            .WithEnvironment("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER")
            .WithEnvironment("KAFKA_INTER_BROKER_LISTENER_NAME", "PLAINTEXT")
            .WithEnvironment("KAFKA_LOG_DIRS", "/var/lib/kafka/data")
            .WithEnvironment("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
            .WithEnvironment("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "3")
            .WithEnvironment("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "6")
            .WithEnvironment("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "3")
            .WithEnvironment("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "2")
            .WithEnvironment("KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS", "6")
            .WithEnvironment("KAFKA_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS", "1000")
            .WithEnvironment("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0");
    }

    static IResourceBuilder<KafkaClusterResource> AddCluster(
        this IDistributedApplicationBuilder builder, string name, ReferenceExpression servers, params IReadOnlyList<IResourceBuilder<IResource>> brokers)
    {
        var cluster = builder.AddResource(new KafkaClusterResource(name, servers))
            .WithManifestPublishingCallback(context =>
            {
                context.Writer.WriteString("type", "value.v0");
                context.Writer.WriteString("connectionString", servers.ValueExpression);
            })
            .OnInitializeResource(async (resource, e, cancellationToken) =>
            {
                // Comes back when all that this waits for is there.
                await e.Eventing.PublishAsync(new BeforeResourceStartedEvent(resource, e.Services), cancellationToken);
                await e.Eventing.PublishAsync(new ConnectionStringAvailableEvent(resource, e.Services), cancellationToken);
                await e.Notifications.PublishUpdateAsync(resource, s => s with { State = KnownResourceStates.Running });
            });
        foreach (var broker in brokers) cluster.WaitFor(broker);
        return cluster;
    }

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
