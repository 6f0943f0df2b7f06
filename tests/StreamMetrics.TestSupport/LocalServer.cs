using System.Globalization;

namespace StreamMetrics.TestSupport;

/// <summary>Starts servers by the same scripts as the product does (<c>StreamMetrics.AppHost/scripts</c>).</summary>
static class LocalServer
{
    /// <summary>Starts a script.</summary>
    /// <param name="script">Its file name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Environment variables to set.</param>
    public static ChildProcess Start(string script, IReadOnlyList<object> arguments, IReadOnlyDictionary<string, string?>? environment = null) =>
        ChildProcess.Start(
            script,
            ["bash", RepositoryRoot.Combine("StreamMetrics.AppHost", "scripts", script), .. arguments.Select(a => Convert.ToString(a, CultureInfo.InvariantCulture)!)],
            environment);
}
