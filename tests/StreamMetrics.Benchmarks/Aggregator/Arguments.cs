using System.Globalization;

namespace StreamMetrics.Benchmarks.Aggregator;

/// <summary>Command lines of the form <c>--name value</c>.</summary>
static class Arguments
{
    /// <summary>The value of an option.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="name">Name with its hyphens.</param>
    /// <param name="otherwise">Value when it is not there.</param>
    public static string Option(string[] args, string name, string otherwise)
    {
        var at = Array.IndexOf(args, name);
        return at >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;
    }

    /// <summary>The whole number behind an option.</summary>
    /// <param name="args">Command line.</param>
    /// <param name="name">Its name.</param>
    /// <param name="otherwise">What it is when the option is not given.</param>
    public static int Number(string[] args, string name, int otherwise) => int.Parse(Option(args, name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
}
