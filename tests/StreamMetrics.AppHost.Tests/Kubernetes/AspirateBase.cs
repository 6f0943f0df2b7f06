using System.Globalization;
using System.Text;

namespace StreamMetrics.AppHost.Tests.Kubernetes;

/// <summary>
/// The kustomize base that Aspirate generates from a manifest (templates deployment, statefulset, service and kustomization of
/// prom3theu5/aspirational-manifests): a folder per resource, whose settings are a config map and whose secrets come from a file that is
/// made at deployment. Containers with volumes are stateful sets. Besides, what those files of secrets hold, with the passwords left open.
/// </summary>
static class AspirateBase
{
    public const string Namespace = "streammetrics";

    /// <summary>Files by their path below deploy/kubernetes.</summary>
    public static SortedDictionary<string, string> Generate(Manifest manifest)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["base/namespace.yaml"] = $"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {Namespace}\n",
            ["base/kustomization.yaml"] = Lines(
                [$"namespace: {Namespace}", "", "resources:", "- namespace.yaml", .. manifest.Workloads.Select(w => $"- {w}"), "", "generatorOptions:", "  disableNameSuffixHash: true"]),
        };
        foreach (var name in manifest.Workloads)
        {
            var isStateful = manifest[name]["volumes"] is not null;
            var workload = isStateful ? "statefulset.yaml" : "deployment.yaml";
            files[$"base/{name}/{workload}"] = isStateful ? StatefulSet(manifest, name) : Deployment(manifest, name);
            files[$"base/{name}/service.yaml"] = Service(manifest, name);
            files[$"base/{name}/kustomization.yaml"] = Kustomization(manifest, name, workload);
            var secrets = Secrets(manifest, name);
            if (secrets.Length > 0) files[$"secrets/{name}.secrets"] = Lines(secrets);
        }

        return files;
    }

    static string[] Secrets(Manifest manifest, string name) =>
        [.. manifest.EnvironmentOf(name).Where(e => manifest.IsSecret(name, e.Key)).Select(e => $"{e.Key}={e.Value}")];

    static string Kustomization(Manifest manifest, string name, string workload)
    {
        string[] literals = [.. manifest.EnvironmentOf(name).Where(e => !manifest.IsSecret(name, e.Key)).Select(e => $"  - {e.Key}={e.Value}")];
        string[] secrets = Secrets(manifest, name).Length == 0
            ? []
            : ["secretGenerator:", $"- name: {name}-secrets", "  envs:", $"  - .{name}.secrets"];
        return Lines(
            ["resources:", $"- {workload}", "- service.yaml", "", "generatorOptions:", "  disableNameSuffixHash: true", "",
                "configMapGenerator:", $"- name: {name}-env", "  literals:", .. literals, .. secrets]);
    }

    static string Deployment(Manifest manifest, string name) => Lines(
    [
        "apiVersion: apps/v1", "kind: Deployment", "metadata:", $"  name: {name}", "spec:", "  minReadySeconds: 60", "  replicas: 1",
        "  selector:", "    matchLabels:", $"      app: {name}",
        "  strategy:", "    rollingUpdate:", "      maxUnavailable: 0", "      maxSurge: 1",
        "  template:", "    metadata:", "      labels:", $"        app: {name}", "    spec:", "      containers:",
        .. Container(manifest, name), "      terminationGracePeriodSeconds: 180",
    ]);

    static string StatefulSet(Manifest manifest, string name)
    {
        var volumes = manifest[name]["volumes"]!.AsArray();
        return Lines(
        [
            "apiVersion: apps/v1", "kind: StatefulSet", "metadata:", $"  name: {name}", "  labels:", $"    app: {name}", "spec:", $"  serviceName: \"{name}\"",
            "  replicas: 1", "  selector:", "    matchLabels:", $"      app: {name}",
            "  template:", "    metadata:", "      labels:", $"        app: {name}", "    spec:", "      containers:",
            .. Container(manifest, name),
            "        volumeMounts:", .. volumes.SelectMany(v => new[] { $"        - name: {v!["name"]}", $"          mountPath: {v["target"]}" }),
            "  volumeClaimTemplates:",
            .. volumes.SelectMany(v => new[]
            {
                "  - metadata:", $"      name: {v!["name"]}", "    spec:", "      accessModes: [\"ReadWriteOnce\"]", "      resources:", "        requests:", "          storage: 1Gi",
            }),
        ]);
    }

    static IEnumerable<string> Container(Manifest manifest, string name)
    {
        yield return $"      - name: {name}";
        yield return $"        image: {(manifest.IsProject(name) ? $"streammetrics/{name}:latest" : manifest[name]["image"])}";
        yield return "        imagePullPolicy: IfNotPresent";
        if (manifest[name]["entrypoint"] is { } entrypoint)
        {
            yield return "        command:";
            yield return $"        - {entrypoint}";
        }

        if (manifest[name]["args"] is { } args)
        {
            yield return "        args:";
            foreach (var arg in args.AsArray()) yield return $"        - '{arg}'";
        }

        yield return "        ports:";
        foreach (var port in manifest.PortsOf(name).Values) yield return $"        - containerPort: {Text(port)}";
        yield return "        envFrom:";
        yield return "        - configMapRef:";
        yield return $"            name: {name}-env";
        if (Secrets(manifest, name).Length == 0) yield break;
        yield return "        - secretRef:";
        yield return $"            name: {name}-secrets";
    }

    static string Service(Manifest manifest, string name) => Lines(
    [
        "apiVersion: v1", "kind: Service", "metadata:", $"  name: {name}", "spec:", "  type: ClusterIP", "  selector:", $"    app: {name}", "  ports:",
        .. manifest.PortsOf(name).SelectMany(p => new[] { $"  - name: {p.Key}", $"    port: {Text(p.Value)}", $"    targetPort: {Text(p.Value)}" }),
    ]);

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    static string Lines(IEnumerable<string> lines) => lines.Aggregate(new StringBuilder(), (text, line) => text.Append(line).Append('\n')).ToString();
}
