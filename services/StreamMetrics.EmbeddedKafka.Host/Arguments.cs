using System.Globalization;

namespace StreamMetrics.EmbeddedKafka.Host;

/// <summary>What the program is told, as <c>--data DIR --port N --brokers N</c> or by the configuration keys <c>EmbeddedKafka:Data</c>, <c>:Port</c>, <c>:Brokers</c>.</summary>
static class Arguments
{
    const string Section = "EmbeddedKafka";
    const int DefaultPort = 9092, DefaultBrokers = 3;

    static readonly Dictionary<string, string> Switches = new()
    {
        ["--data"] = $"{Section}:Data",
        ["--port"] = $"{Section}:Port",
        ["--brokers"] = $"{Section}:Brokers",
    };

    public static ConfigurationManager Configure(string[] args)
    {
        for (var i = 0; i < args.Length; i += 2)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal) || (!args[i].Contains('=', StringComparison.Ordinal) && i + 1 == args.Length))
                throw new EmbeddedKafkaStartException($"'{args[i]}' is not an option with a value; known are --data DIR, --port N, --brokers N");
            if (args[i].Contains('=', StringComparison.Ordinal)) i--;
        }

        var configuration = new ConfigurationManager();
        configuration.AddEnvironmentVariables();
        configuration.AddCommandLine(args, Switches);
        return configuration;
    }

    public static EmbeddedKafkaOptions Read(IConfiguration configuration, ILoggerFactory loggers)
    {
        var section = configuration.GetSection(Section);
        return new()
        {
            DataDirectory = section["Data"] ?? throw new EmbeddedKafkaStartException($"{Section}:Data (--data) must name the folder of the data"),
            Port = Number(section, "Port", DefaultPort),
            Brokers = Number(section, "Brokers", DefaultBrokers),
            LoggerFactory = loggers,
        };
    }

    static int Number(IConfiguration section, string key, int fallback)
    {
        var text = section[key];
        if (text is null) return fallback;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new EmbeddedKafkaStartException($"{Section}:{key} (--{key.ToLowerInvariant()}) is '{text}'; it must be a whole number");
    }
}
