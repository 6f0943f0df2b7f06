using System.Xml.Linq;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.IntegrationTests;

/// <summary>References point down only: AppHost → services → ServiceDefaults, Streams, Client → Sketches, Contracts.</summary>
public sealed class ReferenceRulesTests
{
    const string Contracts = "StreamMetrics.Contracts";
    const string Sketches = "StreamMetrics.Sketches";
    const string Streams = "StreamMetrics.Streams";
    const string Client = "StreamMetrics.Client";
    const string EmbeddedKafka = "StreamMetrics.EmbeddedKafka";
    const string ServiceDefaults = "StreamMetrics.ServiceDefaults";

    static readonly Dictionary<string, string[]> AllowedReferences = new()
    {
        [Contracts] = [],
        [Sketches] = [],
        [EmbeddedKafka] = [],
        [Streams] = [Contracts, Sketches],
        [Client] = [Contracts],
        [ServiceDefaults] = [Contracts],
        ["StreamMetrics.EmbeddedKafka.Host"] = [EmbeddedKafka],
    };

    static readonly string[] AllowedForServices = [Contracts, Sketches, Streams, Client, ServiceDefaults];

    static readonly HashSet<string> StandIns = [.. Directory.EnumerateDirectories(RepositoryRoot.Combine("standins")).Select(d => Path.GetFileName(d))];

    static readonly string[] Ruled = ["libs/", "services/", "StreamMetrics.ServiceDefaults/"];

    public static TheoryData<string> Projects => new(RuledProjects);

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_lies_below_it(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        var allowed = AllowedReferences.GetValueOrDefault(name, AllowedForServices);
        var references = References(project);

        Assert.True(references.All(allowed.Contains), $"{name} may reference [{string.Join(", ", allowed)}], but references [{string.Join(", ", references)}].");
    }

    [Fact]
    public void Every_library_has_a_rule_of_its_own()
    {
        var libraries = RuledProjects.Where(p => p.StartsWith("libs/", StringComparison.Ordinal));

        Assert.All(libraries, p => Assert.Contains(Path.GetFileNameWithoutExtension(p), AllowedReferences.Keys));
    }

    [Fact]
    public void Project_files_name_the_real_packages_and_no_stand_in()
    {
        var offenders = Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
            .Where(p => !Path.GetRelativePath(Root, p).StartsWith("standins", StringComparison.Ordinal))
            .Where(p => References(Path.GetRelativePath(Root, p)).Any(StandIns.Contains));

        Assert.Empty(offenders);
    }

    static IEnumerable<string> RuledProjects => Directory
        .EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
        .Select(p => Path.GetRelativePath(Root, p).Replace('\\', '/'))
        .Where(p => Ruled.Any(r => p.StartsWith(r, StringComparison.Ordinal)));

    static string[] References(string project) => XDocument.Load(Path.Combine(Root, project)).Descendants("ProjectReference")
        .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')))
        .ToArray();

    static string Root => RepositoryRoot.Path;
}
