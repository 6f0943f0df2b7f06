using StreamMetrics.TestSupport;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace StreamMetrics.AppHost.Tests.Kubernetes;

/// <summary>
/// kustomize and kubeconform with the schemas of Kubernetes, Strimzi and KEDA: from the folder that <c>KUBERNETES_TOOLS</c> names, else
/// from <c>../shared/kubernetes</c> beside the repository.
/// </summary>
static class KubernetesTools
{
    public static string? Home { get; } =
        new[] { Environment.GetEnvironmentVariable("KUBERNETES_TOOLS"), Path.GetFullPath(RepositoryRoot.Combine("..", "shared", "kubernetes")) }
            .FirstOrDefault(h => !string.IsNullOrEmpty(h) && File.Exists(Path.Combine(h, "kubeconform.sh")));

    /// <summary>Renders an overlay of deploy/kubernetes, with secrets made for it.</summary>
    public static async Task<string> RenderAsync(string overlay)
    {
        using var folder = new TempFolder("kubernetes");
        Copy(RepositoryRoot.Combine("deploy", "kubernetes"), folder.Path);
        await RunAsync(["bash", folder.Combine("secrets.sh")]);
        return await RunAsync([Path.Combine(Home!, "bin", "kustomize"), "build", folder.Combine(Path.Combine("overlays", overlay))]);
    }

    /// <summary>What kubeconform says about the documents, and whether all are valid.</summary>
    public static async Task<(bool IsValid, string Report)> ValidateAsync(string yaml)
    {
        using var folder = new TempFolder("documents");
        var file = folder.Combine("all.yaml");
        await File.WriteAllTextAsync(file, yaml);
        await using var process = ChildProcess.Start("kubeconform", ["bash", Path.Combine(Home!, "kubeconform.sh"), file]);
        var code = await process.WaitForExitAsync();
        return (code == 0, string.Join('\n', process.Output));
    }

    public static IReadOnlyList<YamlMappingNode> Parse(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return [.. stream.Documents.Select(d => (YamlMappingNode)d.RootNode)];
    }

    static async Task<string> RunAsync(string[] command)
    {
        await using var process = ChildProcess.Start(command[0], command);
        var code = await process.WaitForExitAsync();
        var output = string.Join('\n', process.Output);
        return code == 0 ? output : throw new InvalidOperationException($"{string.Join(' ', command)} ended with exit code {code}:\n{output}");
    }

    static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}

/// <summary>Runs where the tools are.</summary>
sealed class KubernetesFactAttribute : FactAttribute
{
    public KubernetesFactAttribute() =>
        Skip = KubernetesTools.Home is null ? "kustomize and kubeconform are not there: KUBERNETES_TOOLS or ../shared/kubernetes must have them." : null;
}

sealed class KubernetesTheoryAttribute : TheoryAttribute
{
    public KubernetesTheoryAttribute() =>
        Skip = KubernetesTools.Home is null ? "kustomize and kubeconform are not there: KUBERNETES_TOOLS or ../shared/kubernetes must have them." : null;
}
