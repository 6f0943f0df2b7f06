using StreamMetrics.Benchmarks.Aggregator;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Benchmarks.Query;

/// <summary>Compares the API of the system that <c>./run</c> has started with its database; a difference ends it with an exception that shows it.</summary>
static class AgreementRun
{
    /// <summary>Runs it.</summary>
    /// <param name="args"><c>[--port-offset 0] [--windows 500] [--metrics 50]</c>.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var offset = Arguments.Number(args, "--port-offset", 0);
        await using var agreement = new Agreement(
            new($"http://127.0.0.1:{8080 + offset}"), $"Host=127.0.0.1;Port={15432 + offset};Username=postgres;Password=unused;Database=streammetrics");
        var windows = await agreement.CheckWindowsAsync(Arguments.Number(args, "--windows", 500));
        var points = await agreement.CheckGroupsAsync(Arguments.Number(args, "--metrics", 50));
        Console.WriteLine($"REST, GraphQL and SQL agree on {windows} windows and on {points} points of grouped series: counts and sums, and sketches byte for byte; REST and GraphQL in every field.");
        return windows > 0 ? 0 : 1;
    }
}
