using System.Globalization;

namespace StreamMetrics.AppHost;

/// <summary>What the command line of <c>./run</c> says.</summary>
sealed record AppHostOptions
{
    public const string Usage = """
        ./run [options]      start StreamMetrics on this machine; Ctrl-C stops it, the data stay

          --events-per-second N   rate of the load generator (default 1000)
          --aggregators N         aggregator processes, 1 to 6 (default 3)
          --port-offset N         add N to every fixed port (default 0)
          --data DIR              where data are kept (default .streammetrics)
          --no-dashboard          without the web dashboard and the Aspire dashboard
          --no-containers         local processes even where Docker or Podman answers
          --kafka-ui              a web page of Kafka's topics (needs Docker or Podman)
          --help                  this text

        KAFKA_HOME=DIR ./run      three real Apache Kafka brokers instead of the embedded one
        """;

    // A key per partition is all the work there is to share.
    const int MaxAggregators = 6;
    const int MaxPortOffset = 40_000;
    const int MaxEventsPerSecond = 1_000_000;

    // Options of Aspire's own command line, each with a value: they are read by the application builder.
    static readonly string[] AspireOptions = ["--publisher", "--operation", "--output-path", "--step", "--log-level", "--environment"];

    public int EventsPerSecond { get; init; } = 1000;

    public int Aggregators { get; init; } = 3;

    public int PortOffset { get; init; }

    /// <summary>Full path; null: the default.</summary>
    public string? DataDirectory { get; init; }

    public bool Dashboard { get; init; } = true;

    public bool KafkaUi { get; init; }

    public bool Containers { get; init; } = true;

    public bool Help { get; init; }

    /// <summary>
    /// What of the command line is Aspire's own, name and value in turns. It must not see the rest: to its parser every option has a value, so
    /// a switch of ours would take away the option behind it.
    /// </summary>
    public IReadOnlyList<string> ForAspire { get; init; } = [];

    /// <exception cref="AppHostException">An option is unknown or its value breaks its rule.</exception>
    public static AppHostOptions Parse(IReadOnlyList<string> args)
    {
        var options = new AppHostOptions();
        for (var i = 0; i < args.Count; i++)
        {
            var (name, inline) = args[i].Split('=', 2) is [var left, var right] ? (left, right) : (args[i], null);
            options = name switch
            {
                "--events-per-second" => options with { EventsPerSecond = Number(name, Value(), 1, MaxEventsPerSecond) },
                "--aggregators" => options with { Aggregators = Number(name, Value(), 1, MaxAggregators) },
                "--port-offset" => options with { PortOffset = Number(name, Value(), 0, MaxPortOffset) },
                "--data" => options with { DataDirectory = Path.GetFullPath(Value()) },
                "--no-dashboard" => options with { Dashboard = false },
                "--no-containers" => options with { Containers = false },
                "--kafka-ui" => options with { KafkaUi = true },
                "--help" or "-h" => options with { Help = true },
                _ when AspireOptions.Contains(name) => options with { ForAspire = [.. options.ForAspire, name, Value()] },
                _ => throw new AppHostException($"unknown option {name}; --help shows them all"),
            };

            string Value()
            {
                if (inline is { Length: > 0 }) return inline;
                if (inline is null && i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal)) return args[++i];
                throw new AppHostException($"{name} needs a value; --help shows how");
            }
        }

        return options;
    }

    static int Number(string name, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new AppHostException($"{name} must be a whole number from {least} to {most}, not '{text}'");
}

/// <summary>The system cannot be started for a reason that its user can mend; told in one line.</summary>
sealed class AppHostException(string message) : Exception(message);
