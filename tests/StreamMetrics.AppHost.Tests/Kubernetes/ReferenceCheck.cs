using System.Globalization;
using System.Text.RegularExpressions;
using StreamMetrics.Contracts;
using YamlDotNet.RepresentationModel;
using static StreamMetrics.AppHost.Tests.Kubernetes.CrossCheck;

namespace StreamMetrics.AppHost.Tests.Kubernetes;

/// <summary>
/// What rendered documents name has to be there: secrets and config maps (those that Strimzi makes included), addresses of the Kafka cluster, ports
/// of probes, and the topic and group by whose lag is scaled.
/// </summary>
sealed partial class ReferenceCheck(IReadOnlyList<YamlMappingNode> documents)
{
    readonly List<string> _problems = [];

    public IReadOnlyList<string> Problems()
    {
        // Strimzi writes a secret for each user, and one with the certificate authority of the cluster.
        string[] clusters = [.. Named("Kafka")];
        var secrets = Named("Secret").Concat(Named("KafkaUser")).Concat(clusters.Select(c => $"{c}-cluster-ca-cert")).ToHashSet();
        var maps = Named("ConfigMap").ToHashSet();
        foreach (var document in documents)
        {
            var owner = $"{Text(document, "kind")} {Text(document, "metadata", "name")}";
            foreach (var (key, value) in Pairs(document)) Check(owner, key, value, secrets, maps);
        }

        foreach (var scaled in documents.Where(d => Text(d, "kind") == "ScaledObject")) CheckScaling(scaled);
        return _problems;
    }

    void Check(string owner, string key, YamlNode value, HashSet<string> secrets, HashSet<string> maps)
    {
        switch (key)
        {
            case "secretKeyRef" or "secretRef":
                Known(owner, "secret", Text(value, "name"), secrets);
                break;
            case "secretName":
                Known(owner, "secret", Text(value), secrets);
                break;
            case "secretTargetRef":
                foreach (var item in Items(value)) Known(owner, "secret", Text(item, "name"), secrets);
                break;
            case "configMapKeyRef" or "configMapRef" or "configMap":
                Known(owner, "config map", Text(value, "name"), maps);
                break;
            case "configMapTargetRef":
                foreach (var item in Items(value)) Known(owner, "config map", Text(item, "name"), maps);
                break;
            case "containers":
                foreach (var container in Items(value)) CheckProbes(owner, container);
                break;
        }

        if (value is not YamlScalarNode { Value: { } text }) return;
        foreach (Match address in Bootstrap().Matches(text)) CheckAddress(owner, address.Groups[1].Value, address.Groups[2].Value);
    }

    void CheckProbes(string owner, YamlNode container)
    {
        var ports = Items(At(container, "ports")).SelectMany(p => new[] { Text(p, "containerPort"), Text(p, "name") }).ToHashSet();
        foreach (var probe in new[] { "startupProbe", "livenessProbe", "readinessProbe" })
        {
            var port = Text(container, probe, "httpGet", "port");
            if (port.Length > 0 && !ports.Contains(port)) _problems.Add($"{owner}: {probe} of {Text(container, "name")} asks port {port}, which it does not have");
        }
    }

    void CheckAddress(string owner, string cluster, string port)
    {
        var kafka = documents.FirstOrDefault(d => Text(d, "kind") == "Kafka" && Text(d, "metadata", "name") == cluster);
        if (!Items(At(kafka, "spec", "kafka", "listeners")).Any(l => Text(l, "port") == port)) _problems.Add($"{owner}: there is no Kafka {cluster} with port {port}");
    }

    void CheckScaling(YamlMappingNode scaled)
    {
        var owner = $"ScaledObject {Text(scaled, "metadata", "name")}";
        foreach (var trigger in Items(At(scaled, "spec", "triggers")).Where(t => Text(t, "type") == "kafka"))
        {
            var name = Text(trigger, "metadata", "topic");
            var topic = Topics.All.FirstOrDefault(t => t.Name == name);
            if (topic is null) _problems.Add($"{owner}: topic {name} is none of the product");
            else if (int.Parse(Text(scaled, "spec", "maxReplicaCount"), CultureInfo.InvariantCulture) > topic.Partitions) _problems.Add($"{owner}: more replicas than partitions of {name}");
            if (Text(trigger, "metadata", "consumerGroup") is var group && group != Topics.ProcessorGroup) _problems.Add($"{owner}: group {group} is not {Topics.ProcessorGroup}");
            Known(owner, "trigger authentication", Text(trigger, "authenticationRef", "name"), [.. Named("TriggerAuthentication")]);
        }
    }

    void Known(string owner, string what, string name, HashSet<string> known)
    {
        if (!known.Contains(name)) _problems.Add($"{owner}: there is no {what} {name}");
    }

    IEnumerable<string> Named(string kind) => documents.Where(d => Text(d, "kind") == kind).Select(d => Text(d, "metadata", "name"));

    /// <summary>Every key with its value, at any depth.</summary>
    static IEnumerable<(string Key, YamlNode Value)> Pairs(YamlNode node) => node switch
    {
        YamlMappingNode map => map.Children.SelectMany(c => Pairs(c.Value).Prepend((Text(c.Key), c.Value))),
        YamlSequenceNode list => list.Children.SelectMany(Pairs),
        _ => [],
    };

    [GeneratedRegex(@"([a-z0-9-]+)-kafka-bootstrap\.[a-z0-9-]+\.svc:(\d+)")]
    private static partial Regex Bootstrap();
}
