using System.Text.Json.Nodes;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.AppHost.Tests.Kubernetes;

/// <summary>What deploy/kubernetes renders to is valid and is what the manifest says.</summary>
public sealed class KubernetesTests
{
    static readonly HashSet<string> Nothing = [];
    static readonly HashSet<string> ContainerBrokers = ["kafka-1", "kafka-2", "kafka-3"];

    [Fact]
    public void The_base_is_what_the_templates_of_Aspirate_make_of_the_manifest()
    {
        var root = RepositoryRoot.Combine("deploy", "kubernetes");
        var expected = AspirateBase.Generate(Checked());
        if (Environment.GetEnvironmentVariable("WRITE_KUBERNETES_BASE") is not null) Write(root, expected);

        var actual = new[] { "base", "secrets" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*", SearchOption.AllDirectories))
            .Where(f => !Path.GetFileName(f).StartsWith('.'))
            .Select(f => Path.GetRelativePath(root, f));
        Assert.Equal(expected.Keys, actual.Order(StringComparer.Ordinal));
        Assert.All(expected, file => Assert.True(
            file.Value == File.ReadAllText(Path.Combine(root, file.Key)),
            $"deploy/kubernetes/{file.Key} is not up to date; write the base with: WRITE_KUBERNETES_BASE=1 ./test --filter FullyQualifiedName~KubernetesTests"));
    }

    [KubernetesTheory]
    [InlineData("containers")]
    [InlineData("strimzi")]
    public async Task Every_document_of_an_overlay_is_valid_and_agrees_with_the_manifest(string overlay)
    {
        var yaml = await KubernetesTools.RenderAsync(overlay);

        var (isValid, report) = await KubernetesTools.ValidateAsync(yaml);
        Assert.True(isValid, report);
        var documents = KubernetesTools.Parse(yaml);
        Assert.Empty(new CrossCheck(Checked(), documents).Problems(overlay == "strimzi" ? ContainerBrokers : Nothing));
        Assert.Empty(new ReferenceCheck(documents).Problems());
    }

    [KubernetesTheory]
    [InlineData("containerPort: 8080", "containerPort: 8081", "query: container ports are 8081, the manifest has 8080")]
    [InlineData("targetPort: 5432", "targetPort: 5433", "postgres: service ports are tcp 5433, the manifest has tcp 5432")]
    [InlineData("LoadGenerator__EventsPerSecond:", "LoadGenerator__Rate:", "loadgenerator: LoadGenerator__EventsPerSecond is missing in the config map loadgenerator-env")]
    [InlineData("KAFKA_NODE_ID: \"2\"", "KAFKA_NODE_ID: \"3\"", "kafka-2: KAFKA_NODE_ID is '3', not '2'")]
    [InlineData("ConnectionStrings__streammetrics:", "ConnectionStrings__metrics:", "archiver: ConnectionStrings__streammetrics is missing in the secret archiver-secrets")]
    [InlineData("REDIS_PASSWORD:", "CACHE_PASSWORD:", "redis: REDIS_PASSWORD is missing in the secret redis-secrets")]
    [InlineData("app: postgres", "app: database", "PodDisruptionBudget postgres: selects app database, which is not there")]
    [InlineData("    kind: Deployment\n    name: aggregator\n", "    kind: Deployment\n    name: aggregators\n", "aggregator: scales Deployment aggregators, which is not there")]
    public async Task A_mismatch_is_found(string right, string wrong, string problem)
    {
        var yaml = await RenderedAsync();
        Assert.Contains(right, yaml, StringComparison.Ordinal);

        Assert.Contains(problem, new CrossCheck(Checked(), KubernetesTools.Parse(yaml.Replace(right, wrong, StringComparison.Ordinal))).Problems(Nothing));
    }

    [KubernetesTheory]
    [InlineData("topic: metrics-events\n", "topic: metric-events\n", "ScaledObject aggregator: topic metric-events is none of the product")]
    [InlineData("consumerGroup: streammetrics-processors", "consumerGroup: streammetrics", "ScaledObject aggregator: group streammetrics is not streammetrics-processors")]
    [InlineData("maxReplicaCount: 6", "maxReplicaCount: 12", "ScaledObject aggregator: more replicas than partitions of metrics-events")]
    [InlineData("authenticationRef:\n      name: kafka\n", "authenticationRef:\n      name: broker\n", "ScaledObject aggregator: there is no trigger authentication broker")]
    [InlineData("bootstrap.streammetrics.svc:9093", "bootstrap.streammetrics.svc:9092", "ScaledObject aggregator: there is no Kafka streammetrics with port 9092")]
    [InlineData("secretName: streammetrics-cluster-ca-cert", "secretName: metrics-cluster-ca-cert", "Deployment query: there is no secret metrics-cluster-ca-cert")]
    [InlineData("              key: password\n              name: streammetrics\n", "              key: password\n              name: metrics\n", "Deployment archiver: there is no secret metrics")]
    [InlineData("name: kafka-scaler\n    parameter", "name: kafka-scale\n    parameter", "TriggerAuthentication kafka: there is no config map kafka-scale")]
    [InlineData("path: /health\n            port: 8080", "path: /health\n            port: 8081", "Deployment query: readinessProbe of query asks port 8081, which it does not have")]
    public async Task A_reference_to_what_is_not_there_is_found(string right, string wrong, string problem)
    {
        var yaml = await KubernetesTools.RenderAsync("strimzi");
        Assert.Contains(right, yaml, StringComparison.Ordinal);

        Assert.Contains(problem, new ReferenceCheck(KubernetesTools.Parse(yaml.Replace(right, wrong, StringComparison.Ordinal))).Problems());
    }

    [KubernetesFact]
    public async Task A_service_that_only_the_manifest_has_is_found()
    {
        var manifest = JsonNode.Parse(File.ReadAllText(RepositoryRoot.Combine("aspire-manifest.json")))!.AsObject();
        manifest["resources"]!["ingest"] = manifest["resources"]!["query"]!.DeepClone();

        Assert.Equal(["ingest: no workload of that name"], new CrossCheck(new(manifest), KubernetesTools.Parse(await RenderedAsync())).Problems(Nothing));
    }

    [KubernetesFact]
    public async Task The_topics_of_Strimzi_are_those_of_the_product_with_three_copies()
    {
        var topics = KubernetesTools.Parse(await KubernetesTools.RenderAsync("strimzi")).Where(d => CrossCheck.Text(d, "kind") == "KafkaTopic").ToArray();

        Assert.Equal(Topics.All.Select(t => t.Name).Order(StringComparer.Ordinal), topics.Select(t => CrossCheck.Text(t, "metadata", "name")).Order(StringComparer.Ordinal));
        foreach (var topic in topics)
        {
            var expected = Topics.All.Single(t => t.Name == CrossCheck.Text(topic, "metadata", "name"));
            Assert.Equal($"{expected.Partitions} partitions", $"{CrossCheck.Text(topic, "spec", "partitions")} partitions");
            Assert.Equal("3", CrossCheck.Text(topic, "spec", "replicas"));
            var settings = CrossCheck.Entries(CrossCheck.At(topic, "spec", "config"));
            Assert.Equal("2", settings["min.insync.replicas"]);
            settings.Remove("min.insync.replicas");
            Assert.Equal(expected.Settings.OrderBy(s => s.Key, StringComparer.Ordinal), settings.OrderBy(s => s.Key, StringComparer.Ordinal));
        }
    }

    [KubernetesFact]
    public async Task A_field_that_Kubernetes_does_not_know_is_found()
    {
        var yaml = await RenderedAsync();

        var (isValid, report) = await KubernetesTools.ValidateAsync(yaml.Replace("minReadySeconds:", "minimumReadySeconds:", StringComparison.Ordinal));

        Assert.False(isValid);
        Assert.Contains("minimumReadySeconds", report, StringComparison.Ordinal);
    }

    static readonly Lazy<Task<string>> Rendered = new(() => KubernetesTools.RenderAsync("containers"));

    static Task<string> RenderedAsync() => Rendered.Value;

    static Manifest Checked() => Manifest.Read(RepositoryRoot.Combine("aspire-manifest.json"));

    static void Write(string root, SortedDictionary<string, string> files)
    {
        foreach (var (path, text) in files)
        {
            var file = Path.Combine(root, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
    }
}
