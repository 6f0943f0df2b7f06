using System.Text.Json.Nodes;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.AppHost.Tests;

public sealed class ManifestTests
{
    // What the tool that makes Kubernetes files of it understands.
    static readonly string[] KnownTypes = ["project.v0", "container.v0", "parameter.v0", "value.v0"];

    [Fact]
    public async Task The_checked_in_manifest_is_what_the_AppHost_writes()
    {
        using var folder = new TempFolder("manifest");
        var written = folder.Combine("aspire-manifest.json");

        var (code, output) = await TheAppHost.RunAsync("--publisher", "manifest", "--output-path", written);

        Assert.True(code == 0, string.Join('\n', output));
        var expected = await ReadAsync(RepositoryRoot.Combine("aspire-manifest.json"));
        var actual = await ReadAsync(written);
        Assert.True(
            JsonNode.DeepEquals(expected, actual),
            "aspire-manifest.json is not up to date; write it with: dotnet run --project StreamMetrics.AppHost -- --publisher manifest --output-path aspire-manifest.json\n"
            + $"The AppHost writes:\n{actual}");
    }

    [Fact]
    public async Task A_page_for_Kafka_is_in_it_when_it_was_asked_for_and_changes_nothing_else()
    {
        using var folder = new TempFolder("manifest");
        var written = folder.Combine("aspire-manifest.json");

        var (code, output) = await TheAppHost.RunAsync("--kafka-ui", "--publisher", "manifest", "--output-path", written);

        Assert.True(code == 0, string.Join('\n', output));
        var actual = await ReadAsync(written);
        var resources = actual["resources"]!.AsObject();
        Assert.Equal("container.v0", resources["kafka-ui"]?["type"]?.GetValue<string>());
        Assert.Equal("kafka-1:9092,kafka-2:9092,kafka-3:9092", resources["kafka-ui"]!["env"]!["KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS"]!.GetValue<string>());
        resources.Remove("kafka-ui");
        Assert.True(JsonNode.DeepEquals(await ReadAsync(RepositoryRoot.Combine("aspire-manifest.json")), actual), actual.ToString());
    }

    [Fact]
    public async Task Only_resource_types_and_expressions_that_deployment_tools_know_are_in_it()
    {
        var manifest = await ReadAsync(RepositoryRoot.Combine("aspire-manifest.json"));
        var resources = manifest["resources"]!.AsObject();

        Assert.All(resources, r => Assert.Contains(r.Value!["type"]!.GetValue<string>(), KnownTypes));
        foreach (var name in new[] { "kafka-1", "kafka-2", "kafka-3", "kafka", "redis", "postgres", "streammetrics", "loadgenerator", "aggregator", "archiver", "query" })
        {
            Assert.True(resources.ContainsKey(name), $"{name} is missing.");
        }

        // A fixed port of this machine has no business in a cluster.
        Assert.All(resources, r => Assert.All(r.Value!["bindings"]?.AsObject() ?? [], b => Assert.Null(b.Value!["port"])));
    }

    /// <summary>Paths in a manifest are relative to it; here they become relative to the repository, wherever the file lies.</summary>
    static async Task<JsonNode> ReadAsync(string path)
    {
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        foreach (var (_, resource) in manifest["resources"]!.AsObject())
        {
            if (resource!["path"] is not { } relative) continue;
            var full = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, relative.GetValue<string>()));
            resource["path"] = Path.GetRelativePath(RepositoryRoot.Path, full);
        }

        return manifest;
    }
}
