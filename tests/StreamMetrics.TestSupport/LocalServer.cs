using System.Globalization;

namespace StreamMetrics.TestSupport;

/// <summary>Starts servers by the same scripts as the product does (<c>StreamMetrics.AppHost/scripts</c>).</summary>
static class LocalServer
{
    /// <summary>Starts a script.</summary>
    /// <param name="script">Its file name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Environment variables to set.</param>
    /// <exception cref="HopelessException">The script is not there.</exception>
    public static ChildProcess Start(string script, IReadOnlyList<object> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var path = RepositoryRoot.Combine("StreamMetrics.AppHost", "scripts", script);
        if (!File.Exists(path)) throw new HopelessException($"{path} is missing.");
        return ChildProcess.Start(script, ["bash", path, .. arguments.Select(a => Convert.ToString(a, CultureInfo.InvariantCulture)!)], environment);
    }
}
