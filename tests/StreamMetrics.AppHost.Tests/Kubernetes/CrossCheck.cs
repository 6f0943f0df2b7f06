using System.Text;
using YamlDotNet.RepresentationModel;

namespace StreamMetrics.AppHost.Tests.Kubernetes;

/// <summary>Compares rendered documents with the manifest: workloads, ports, settings and secrets, by name and value.</summary>
sealed class CrossCheck(Manifest manifest, IReadOnlyList<YamlMappingNode> documents)
{
    readonly List<string> _problems = [];

    /// <param name="replaced">Workloads of the manifest that the overlay replaces by something else.</param>
    public IReadOnlyList<string> Problems(IReadOnlySet<string> replaced)
    {
        foreach (var name in manifest.Workloads.Where(w => !replaced.Contains(w))) CheckWorkload(name, replaced);
        foreach (var name in replaced)
        {
            if (Find("Service", name) is not null || Workload(name) is not null) _problems.Add($"{name} is still there");
        }

        CheckTargets();
        return _problems;
    }

    void CheckWorkload(string name, IReadOnlySet<string> replaced)
    {
        if (Workload(name) is not { } workload)
        {
            _problems.Add($"{name}: no workload of that name");
            return;
        }

        var container = Items(At(workload, "spec", "template", "spec", "containers")).OfType<YamlMappingNode>().First(c => Text(c, "name") == name);
        var ports = manifest.PortsOf(name);
        Same($"{name}: container ports", ports.Values.Select(p => $"{p}"), Items(At(container, "ports")).Select(p => Text(p, "containerPort")));
        Same($"{name}: service ports", ports.Select(p => $"{p.Key} {p.Value}"), Items(At(Find("Service", name), "spec", "ports")).Select(p => $"{Text(p, "name")} {Text(p, "targetPort")}"));
        var own = Items(At(container, "env")).Select(e => Text(e, "name")).ToHashSet();
        CheckSettings(name, container, own);
        CheckSecrets(name, container, own, replaced);
    }

    void CheckSettings(string name, YamlMappingNode container, HashSet<string> own)
    {
        var source = Items(At(container, "envFrom")).Select(e => Text(e, "configMapRef", "name")).FirstOrDefault(n => n.Length > 0) ?? "";
        var map = Entries(At(Find("ConfigMap", source), "data"));
        foreach (var (variable, value) in manifest.EnvironmentOf(name).Where(e => !manifest.IsSecret(name, e.Key)))
        {
            if (!map.TryGetValue(variable, out var found)) _problems.Add($"{name}: {variable} is missing in the config map {source}");
            else if (found != value && !own.Contains(variable)) _problems.Add($"{name}: {variable} is '{found}', not '{value}'");
        }
    }

    void CheckSecrets(string name, YamlMappingNode container, HashSet<string> own, IReadOnlySet<string> replaced)
    {
        var secrets = manifest.EnvironmentOf(name).Where(e => manifest.IsSecret(name, e.Key)).ToArray();
        if (secrets.Length == 0) return;
        var source = Items(At(container, "envFrom")).Select(e => Text(e, "secretRef", "name")).FirstOrDefault(n => n.Length > 0) ?? "";
        var data = Entries(At(Find("Secret", source), "data"));
        foreach (var (variable, value) in secrets)
        {
            // A connection string that leads to what the overlay replaces has to be replaced as well.
            var leadsAway = replaced.Any(r => value.Contains(r, StringComparison.Ordinal));
            if (leadsAway && !own.Contains(variable)) _problems.Add($"{name}: {variable} still leads to {value}");
            if (!data.TryGetValue(variable, out var encoded)) _problems.Add($"{name}: {variable} is missing in the secret {source}");
            else if (!Matches(Encoding.UTF8.GetString(Convert.FromBase64String(encoded)), value)) _problems.Add($"{name}: {variable} of the secret {source} does not have the form {value}");
        }
    }

    /// <summary>Whatever names a workload by kind and name has to name one that is there.</summary>
    void CheckTargets()
    {
        foreach (var document in documents)
        {
            if (At(document, "spec", "scaleTargetRef") is YamlMappingNode target)
            {
                var kind = Text(target, "kind") is { Length: > 0 } k ? k : "Deployment";
                if (Find(kind, Text(target, "name")) is null) _problems.Add($"{Text(document, "metadata", "name")}: scales {kind} {Text(target, "name")}, which is not there");
            }

            foreach (var selector in new[] { At(document, "spec", "selector", "matchLabels"), At(document, "spec", "podSelector", "matchLabels") })
            {
                if (Text(document, "kind") is not ("PodDisruptionBudget" or "NetworkPolicy") || Text(selector, "app") is not { Length: > 0 } app) continue;
                if (Workload(app) is null) _problems.Add($"{Text(document, "kind")} {Text(document, "metadata", "name")}: selects app {app}, which is not there");
            }
        }
    }

    void Same(string what, IEnumerable<string> expected, IEnumerable<string> actual)
    {
        var (left, right) = (string.Join(", ", expected.Order()), string.Join(", ", actual.Order()));
        if (left != right) _problems.Add($"{what} are {right}, the manifest has {left}");
    }

    /// <summary>The value with each open password filled in by something.</summary>
    static bool Matches(string value, string form)
    {
        var at = 0;
        foreach (var piece in form.Split("${").Select((p, i) => i == 0 ? p : p[(p.IndexOf('}', StringComparison.Ordinal) + 1)..]))
        {
            var found = value.IndexOf(piece, at, StringComparison.Ordinal);
            if (found < 0 || (at == 0 && found != 0)) return false;
            at = found + piece.Length;
        }

        return true;
    }

    YamlMappingNode? Workload(string name) => Find("Deployment", name) ?? Find("StatefulSet", name);

    YamlMappingNode? Find(string kind, string name) => documents.FirstOrDefault(d => Text(d, "kind") == kind && Text(d, "metadata", "name") == name);

    public static YamlNode? At(YamlNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var step in path) node = node is YamlMappingNode map && map.Children.TryGetValue(step, out var child) ? child : null;
        return node;
    }

    public static string Text(YamlNode? node, params ReadOnlySpan<string> path) => (At(node, path) as YamlScalarNode)?.Value ?? "";

    public static IEnumerable<YamlNode> Items(YamlNode? node) => (node as YamlSequenceNode)?.Children ?? [];

    public static Dictionary<string, string> Entries(YamlNode? node) =>
        (node as YamlMappingNode)?.Children.ToDictionary(c => ((YamlScalarNode)c.Key).Value!, c => ((YamlScalarNode)c.Value).Value ?? "") ?? [];
}
