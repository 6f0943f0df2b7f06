using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace StreamMetrics.AppHost.Tests.Kubernetes;

/// <summary>The manifest as a deployment tool reads it: resources, their ports, and their environment with the expressions resolved.</summary>
sealed partial class Manifest(JsonObject root)
{
    /// <summary>Aspirate gives every project this port.</summary>
    public const int ProjectPort = 8080;

    readonly JsonObject _resources = root["resources"]!.AsObject();

    public static Manifest Read(string path) => new(JsonNode.Parse(File.ReadAllText(path))!.AsObject());

    /// <summary>What runs, in the order of the manifest.</summary>
    public IEnumerable<string> Workloads => _resources.Where(r => TypeOf(r.Key) is "project.v0" or "container.v0").Select(r => r.Key);

    public IEnumerable<string> SecretParameters => _resources.Where(r => r.Value!["inputs"]?["value"]?["secret"]?.GetValue<bool>() == true).Select(r => r.Key);

    public JsonObject this[string name] => _resources[name]!.AsObject();

    public bool IsProject(string name) => TypeOf(name) == "project.v0";

    /// <summary>Name and number of each port.</summary>
    public IReadOnlyDictionary<string, int> PortsOf(string name) => IsProject(name)
        ? new Dictionary<string, int> { ["http"] = ProjectPort }
        : this[name]["bindings"]?.AsObject().ToDictionary(b => b.Key, b => b.Value!["targetPort"]!.GetValue<int>()) ?? [];

    /// <summary>The environment, resolved; a secret stands there as <c>${parameter}</c>.</summary>
    public IReadOnlyDictionary<string, string> EnvironmentOf(string name) =>
        this[name]["env"]?.AsObject().ToDictionary(e => e.Key, e => Resolve(e.Value!.GetValue<string>())) ?? [];

    /// <summary>Aspirate keeps connection strings and what holds a secret apart from the rest.</summary>
    public bool IsSecret(string name, string variable) =>
        variable.StartsWith("ConnectionStrings__", StringComparison.Ordinal) || EnvironmentOf(name)[variable].Contains("${", StringComparison.Ordinal);

    string TypeOf(string name) => this[name]["type"]!.GetValue<string>();

    string Resolve(string text) => Expression().Replace(text, match =>
    {
        var parts = match.Groups[1].Value.Split('.');
        var name = parts[0];
        return parts[1..] switch
        {
            ["bindings", _, "host"] => name,
            ["bindings", var binding, "port" or "targetPort"] => PortsOf(name)[binding].ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["connectionString"] => Resolve(this[name]["connectionString"]!.GetValue<string>()),
            ["value"] => $"${{{name}}}",
            _ => throw new InvalidOperationException($"Aspirate does not know the expression {match.Value}."),
        };
    });

    [GeneratedRegex(@"\{([^{}]+)\}")]
    private static partial Regex Expression();
}
