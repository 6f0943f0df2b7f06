using System.Text.Json;
using StreamMetrics.Benchmarks.Aggregator;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Benchmarks.Tracing;

/// <summary>
/// What tracing costs the load generator and an aggregator: processor time per event without telemetry, with metrics and logs but no trace,
/// with the default of traces, and with a hundred times as many. All four run side by side, so that whatever else the machine does is the same for
/// each; every round has new processes. Medians and their ratios at the end.
/// </summary>
static class TracingRun
{
    // The code is compiled first, and again when it is hot.
    static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(12);

    static readonly Variant[] Variants = [new("no telemetry", null), new("no traces", 0), new("default traces", 5), new("many traces", 500)];

    static Variant Untraced => Variants[1];

    static Variant Default => Variants[2];

    static Variant Many => Variants[3];

    /// <summary>Runs it.</summary>
    /// <param name="args"><c>[--events-per-second 5000] [--seconds 20] [--rounds 3]</c>; the rate is that of each of the four.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var rate = Arguments.Number(args, "--events-per-second", 5_000);
        var span = TimeSpan.FromSeconds(Arguments.Number(args, "--seconds", 20));
        var seen = Variants.ToDictionary(v => v, _ => new List<Figures>());
        for (var round = 0; round < Arguments.Number(args, "--rounds", 3); round++)
        {
            foreach (var (variant, figures) in await RoundAsync(rate, span))
            {
                seen[variant].Add(figures);
                Console.WriteLine(JsonSerializer.Serialize(new { variant = variant.Name, tracesPerSecond = variant.TracesPerSecond, generator = Math.Round(figures.Generator, 2), aggregator = Math.Round(figures.Aggregator, 2) }));
            }
        }

        foreach (var variant in Variants) Print(variant, seen);
        var perTrace = Median(seen[Many].Zip(seen[Untraced], (many, none) => (many.Sum - none.Sum) * rate / Many.TracesPerSecond!.Value));
        var share = perTrace * Default.TracesPerSecond!.Value / (100_000 * Median(seen[Untraced].Select(f => f.Sum)));
        Console.WriteLine(FormattableString.Invariant(
            $"a trace costs {perTrace:0} µs in both together; {Default.TracesPerSecond} of them a second are {share * 100:0.000} % of what 100,000 events cost without traces"));
        return 0;
    }

    static async Task<(Variant Variant, Figures Figures)[]> RoundAsync(int rate, TimeSpan span)
    {
        await using var redis = await RealRedis.StartAsync();
        await using var sink = new OtlpSink();
        var running = new List<ServicesUnderLoad>();
        try
        {
            foreach (var variant in Variants) running.Add(await ServicesUnderLoad.StartAsync(rate, variant.TracesPerSecond, redis.ConnectionString, sink.Address));
            await Task.Delay(WarmUp, TimeProvider.System);
            var before = await Task.WhenAll(running.Select(r => r.ReadAsync()));
            await Task.Delay(span, TimeProvider.System);
            var after = await Task.WhenAll(running.Select(r => r.ReadAsync()));
            if (sink.TraceBytes == 0) throw new InvalidOperationException("No trace has arrived.");
            return [.. Variants.Select((variant, i) => (variant, Of(before[i], after[i])))];
        }
        finally
        {
            foreach (var services in running) await services.DisposeAsync();
        }

        Figures Of(in ServicesUnderLoad.Totals before, in ServicesUnderLoad.Totals after)
        {
            var (sent, processed) = (after.Sent - before.Sent, after.Processed - before.Processed);
            if (sent < rate * span.TotalSeconds * 0.9 || processed < sent * 0.9) throw new InvalidOperationException($"Only {sent} events were sent and {processed} processed: the rate is too high for this machine.");
            var (generator, aggregator) = after.PerEventSince(before);
            return new(generator, aggregator);
        }
    }

    static void Print(Variant variant, Dictionary<Variant, List<Figures>> seen)
    {
        // Of a round each, since the rounds differ in what else the machine did.
        var ratios = seen[variant].Zip(seen[Untraced], (own, none) => own.Sum / none.Sum).ToArray();
        Console.WriteLine(FormattableString.Invariant(
            $"{variant.Name}: load generator {Median(seen[variant].Select(f => f.Generator)):0.00} µs an event, aggregator {Median(seen[variant].Select(f => f.Aggregator)):0.00}; both {Median(ratios):0.000} x no traces ({ratios.Min():0.000} to {ratios.Max():0.000})"));
    }

    static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    /// <summary>One way to run both; without a number there is no receiver of telemetry.</summary>
    sealed record Variant(string Name, double? TracesPerSecond);

    /// <summary>Processor time per event, µs.</summary>
    sealed record Figures(double Generator, double Aggregator)
    {
        public double Sum => Generator + Aggregator;
    }
}
