using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace StreamMetrics.AppHost.Local;

/// <summary>Where a server comes from.</summary>
enum Source
{
    /// <summary>It runs already: a connection string names it.</summary>
    Configured,

    /// <summary>A container runtime starts it.</summary>
    Containers,

    /// <summary>It is started as a process of this machine.</summary>
    Processes,
}

/// <summary>
/// Decides, once per server and at the start, where Kafka, Redis and PostgreSQL come from: what is configured, else containers where a
/// runtime answers, else processes of this machine. The manifest always has the containers.
/// </summary>
sealed class Infrastructure
{
    public const string KafkaName = "kafka";
    public const string RedisName = "redis";
    public const string PostgresName = "postgres";
    public const string DatabaseName = "streammetrics";

    const long FreeBytesToWarn = 5L << 30;

    readonly string _appHostDirectory;
    readonly bool _hasDashboard;

    Infrastructure(IDistributedApplicationBuilder builder, AppHostOptions options)
    {
        _appHostDirectory = builder.AppHostDirectory;
        _hasDashboard = options.Dashboard;
        Ports = new(options.PortOffset);
        DataDirectory = options.DataDirectory ?? Path.GetFullPath(Path.Combine(builder.AppHostDirectory, "..", ".streammetrics"));
    }

    public Source Kafka { get; private init; }

    public Source Redis { get; private init; }

    public Source Postgres { get; private init; }

    /// <summary>An Apache Kafka distribution to run the brokers from; null: the embedded broker.</summary>
    public string? KafkaHome { get; private init; }

    public LocalPorts Ports { get; }

    public string DataDirectory { get; }

    /// <exception cref="AppHostException">A program that is needed is missing, or a configured server does not answer.</exception>
    public static async Task<Infrastructure> DecideAsync(IDistributedApplicationBuilder builder, AppHostOptions options)
    {
        if (builder.ExecutionContext.IsPublishMode)
        {
            return new(builder, options) { Kafka = Source.Containers, Redis = Source.Containers, Postgres = Source.Containers };
        }

        var otherwise = options.Containers ? await ContainersOrProcessesAsync() : Source.Processes;
        var kafka = Of(KafkaName);
        var infrastructure = new Infrastructure(builder, options)
        {
            Kafka = kafka,
            Redis = Of(RedisName),
            Postgres = Of(DatabaseName),
            KafkaHome = kafka == Source.Processes ? FindKafkaHome() : null,
        };
        infrastructure.Announce(builder.Configuration);
        infrastructure.ThrowIfProgramsAreMissing();
        foreach (var name in new[] { KafkaName, RedisName, DatabaseName })
        {
            if (Of(name) == Source.Configured) await ConfiguredServers.CheckAsync(name, builder.Configuration.GetConnectionString(name)!);
        }

        // The folder for what the application host itself keeps.
        builder.Configuration["Aspire:Store:Path"] = infrastructure.DataDirectory;
        builder.Eventing.Subscribe<BeforeStartEvent>((_, _) =>
        {
            infrastructure.CheckMachine();
            return Task.CompletedTask;
        });
        return infrastructure;

        Source Of(string connection) => string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(connection)) ? otherwise : Source.Configured;
    }

    /// <summary>
    /// Folder of one resource's data. All that is stored belongs to one Kafka's log (offsets, state, ledger), so each kind of Kafka has data
    /// of its own.
    /// </summary>
    public string DataOf(string resource) => Path.Combine(ServersDirectory, resource);

    string ServersDirectory => (Kafka, KafkaHome) switch
    {
        (Source.Configured, _) => Path.Combine(DataDirectory, "configured-kafka"),
        (_, not null) => Path.Combine(DataDirectory, "real-kafka"),
        _ => DataDirectory,
    };

    public string Script(string name) => Path.Combine(_appHostDirectory, "scripts", name);

    /// <summary>Containers can be switched off in the build: not every build of the application host can drive a runtime.</summary>
    static async Task<Source> ContainersOrProcessesAsync()
    {
        if (await LocalPrograms.FindContainerRuntimeAsync(TimeProvider.System) is not { } runtime) return Source.Processes;
        if (!AppContext.TryGetSwitch("StreamMetrics.Containers", out var isOn) || isOn) return Source.Containers;
        Console.WriteLine($"{runtime} answers, but this build cannot run containers (it has no Aspire): local processes are used");
        return Source.Processes;
    }

    static string? FindKafkaHome()
    {
        var home = Environment.GetEnvironmentVariable("KAFKA_HOME");
        if (string.IsNullOrWhiteSpace(home)) return null;
        home = Path.GetFullPath(home);
        if (!File.Exists(Path.Combine(home, "bin", "kafka-server-start.sh")))
        {
            throw new AppHostException($"KAFKA_HOME={home} is no Apache Kafka distribution: bin/kafka-server-start.sh is missing there");
        }

        if (LocalPrograms.HasJava) return home;
        Console.WriteLine("KAFKA_HOME is set, but Java is missing (Debian package default-jre-headless): the embedded broker is used");
        return null;
    }

    void Announce(IConfiguration configuration)
    {
        Line("Kafka", Kafka, KafkaName, KafkaHome is null ? "the embedded broker, a development broker with one copy of the data" : $"three brokers from {KafkaHome}");
        Line("Redis", Redis, RedisName, "redis-server of this machine");
        Line("PostgreSQL", Postgres, DatabaseName, "postgres of this machine");
        Console.WriteLine($"{"Data",-11} {ServersDirectory}");

        void Line(string server, Source source, string connection, string local) => Console.WriteLine($"{server,-11} " + source switch
        {
            Source.Configured => $"the existing server of ConnectionStrings__{connection}{Where(configuration.GetConnectionString(connection)!)}",
            Source.Containers => "containers",
            _ => local,
        });
    }

    /// <summary>Connection strings may hold passwords, so only a plain list of servers is shown.</summary>
    static string Where(string connection) => connection.Contains('=', StringComparison.Ordinal) ? "" : $" ({connection})";

    void ThrowIfProgramsAreMissing()
    {
        if (Redis == Source.Processes && !LocalPrograms.HasRedis)
        {
            throw new AppHostException("redis-server is missing: install it (Debian package redis-server), or name a server in ConnectionStrings__redis");
        }

        if (Postgres == Source.Processes && !LocalPrograms.HasPostgres)
        {
            throw new AppHostException("PostgreSQL is missing: install it (Debian package postgresql), or name a database in ConnectionStrings__streammetrics");
        }
    }

    void CheckMachine()
    {
        LocalPorts.ThrowIfTaken(WantedPorts());
        Directory.CreateDirectory(DataDirectory);
        var free = new DriveInfo(DataDirectory).AvailableFreeSpace;
        if (free < FreeBytesToWarn)
        {
            Console.WriteLine(FormattableString.Invariant(
                $"warning: only {free / (double)(1 << 30):0.0} GiB are free for {DataDirectory}; Kafka keeps up to 1 GiB per partition"));
        }
    }

    IEnumerable<(int Port, string Wants)> WantedPorts()
    {
        yield return (Ports.Query, "the query service");
        yield return (Ports.LoadGenerator, "the load generator");
        if (_hasDashboard)
        {
            yield return (Ports.Dashboard, "the Aspire dashboard");
            yield return (Ports.DashboardOtlpGrpc, "the Aspire dashboard (OTLP over gRPC)");
            yield return (Ports.DashboardOtlpHttp, "the Aspire dashboard (OTLP over HTTP)");
        }

        if (Kafka != Source.Configured)
        {
            for (var i = 0; i < LocalPorts.Brokers; i++) yield return (Ports.Kafka + i, FormattableString.Invariant($"Kafka broker {i + 1}"));
        }

        if (Kafka == Source.Processes && KafkaHome is not null)
        {
            for (var i = 0; i < LocalPorts.Brokers; i++) yield return (Ports.KafkaControllers + i, FormattableString.Invariant($"Kafka controller {i + 1}"));
        }

        if (Postgres != Source.Configured) yield return (Ports.Postgres, "PostgreSQL");
        if (Redis != Source.Configured) yield return (Ports.Redis, "Redis");
    }
}
