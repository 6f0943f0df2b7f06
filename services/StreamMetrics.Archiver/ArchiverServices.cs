using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Npgsql;
using StackExchange.Redis;
using StreamMetrics.Archiver.Archive;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.History;
using StreamMetrics.Archiver.Retention;
using StreamMetrics.Archiver.Rollups;
using StreamMetrics.Archiver.Sink;
using StreamMetrics.ServiceDefaults.Kafka;

namespace StreamMetrics.Archiver;

/// <summary>The parts of the archiver.</summary>
static class ArchiverServices
{
    /// <summary>PostgreSQL: connections, schema, partitions; ready before the workers start.</summary>
    public static void AddColdStore(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<ArchiverOptions>().BindConfiguration(ArchiverOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<ArchiverOptions>, ArchiverOptionsValidator>();
        builder.AddNpgsqlDataSource("streammetrics");
        // It logs every statement, and every failure with its stack; failures are ours to tell, once (DatabaseAvailability).
        builder.Logging.AddFilter("Npgsql", LogLevel.Critical);
        builder.Services.AddSingleton<ArchiverMetrics>();
        builder.Services.AddSingleton<DatabaseAvailability>();
        builder.Services.AddSingleton<Migrator>();
        builder.Services.AddSingleton<PartitionStore>();
        builder.Services.AddHostedService<DatabaseStart>();
    }

    /// <summary>Hours and days, and how long everything is kept.</summary>
    public static void AddMaintenance(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RollupWriter>();
        builder.Services.AddHostedService<MaintenanceWorker>();
        builder.Services.AddArchive();
        builder.Services.AddSingleton<ArchiveState>();
        builder.Services.AddSingleton(services => new Retainer(
            services.GetRequiredService<NpgsqlDataSource>(), services.GetRequiredService<PartitionStore>(),
            services.GetRequiredService<IOptions<ArchiveOptions>>().Value.IsConfigured ? services.GetRequiredService<ColdArchive>() : null,
            services.GetRequiredService<ArchiveState>(), services.GetRequiredService<ArchiverMetrics>(), services.GetRequiredService<IOptions<ArchiverOptions>>(),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<Retainer>>()));
        builder.Services.AddHostedService<RetentionWorker>();
        builder.Services.AddHealthChecks().AddCheck<ArchiveState>("archive");
    }

    /// <summary>Where expired partitions go, for the service and for the command.</summary>
    public static void AddArchive(this IServiceCollection services)
    {
        services.AddOptions<ArchiveOptions>().BindConfiguration(ArchiveOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ArchiveOptions>, ArchiveOptionsValidator>();
        services.AddSingleton<IValidateOptions<ArchiveOptions>, ArchiveOptionsRules>();
        services.AddSingleton<IArchiveStore>(provider =>
            provider.GetRequiredService<IOptions<ArchiveOptions>>().Value is var options && string.IsNullOrEmpty(options.Bucket)
                ? new DirectoryStore(options.Directory!)
                : new S3Store(options));
        services.AddSingleton<ColdArchive>();
    }

    /// <summary>Redis: the last hour of final windows.</summary>
    public static void AddHotHistory(this WebApplicationBuilder builder)
    {
        // Its own check says "degraded": the sink works without Redis.
        builder.AddRedisClient(
            "redis",
            settings => settings.DisableTracing = settings.DisableHealthChecks = true,
            options =>
            {
                // While it is away calls fail at once, and it is looked for every second: the history is read again from PostgreSQL anyway.
                options.BacklogPolicy = BacklogPolicy.FailFast;
                options.ReconnectRetryPolicy = new LinearRetry(1000);
            });
        // Every step of every connection.
        builder.Logging.AddFilter("StackExchange.Redis", LogLevel.Warning);
        builder.Services.AddSingleton(services => new Lazy<IConnectionMultiplexer>(services.GetRequiredService<IConnectionMultiplexer>));
        builder.Services.AddSingleton<HistoryRows>();
        builder.Services.AddSingleton<HotHistory>();
        builder.Services.AddHostedService(services => services.GetRequiredService<HotHistory>());
        builder.Services.AddHealthChecks().AddCheck<HotHistory>("history");
    }

    /// <summary>The consumer of the aggregate topics and its writer.</summary>
    public static void AddSink(this WebApplicationBuilder builder)
    {
        builder.AddKafkaConsumer<byte[]?, byte[]?>(
            "kafka",
            settings =>
            {
                // Health is the sink's own check; records are measured and traced per batch.
                settings.DisableHealthChecks = settings.DisableMetrics = settings.DisableTracing = true;
                Configure(settings.Config, builder.Configuration);
            },
            Handle);
        builder.Services.AddSingleton(services => new Lazy<IConsumer<byte[]?, byte[]?>>(services.GetRequiredService<IConsumer<byte[]?, byte[]?>>));
        builder.Services.AddSingleton<KafkaClientMetrics>();
        builder.Services.AddSingleton<SinkWriter>();
        builder.Services.AddSingleton<TopicIds>();
        builder.Services.AddHostedService(services => services.GetRequiredService<TopicIds>());
        builder.Services.AddSingleton<SinkAssignment>();
        builder.Services.AddSingleton<SinkState>();
        builder.Services.AddHostedService<SinkWorker>();
        builder.Services.AddHealthChecks().AddCheck<SinkState>("sink");
    }

    static void Configure(ConsumerConfig config, ConfigurationManager configuration)
    {
        var options = configuration.GetSection(ArchiverOptions.Section).Get<ArchiverOptions>() ?? new();
        config.WithSecurity(configuration);
        config.GroupId = options.ConsumerGroup;
        config.GroupInstanceId = options.InstanceId;
        config.IsolationLevel = IsolationLevel.ReadCommitted;
        config.AutoOffsetReset = AutoOffsetReset.Earliest;
        config.EnableAutoCommit = false;
        config.EnableAutoOffsetStore = false;
        config.PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky;
        config.SessionTimeoutMs = 10_000;
        config.HeartbeatIntervalMs = 3_000;
        config.MaxPollIntervalMs = 300_000;
        config.FetchWaitMaxMs = 100;
        config.StatisticsIntervalMs = KafkaClientMetrics.IntervalMs;
        // Prefetched per partition at most; PostgreSQL is the slower side.
        config.QueuedMaxMessagesKbytes = 4_096;
    }

    static void Handle(IServiceProvider services, ConsumerBuilder<byte[]?, byte[]?> consumer)
    {
        var assignment = services.GetRequiredService<SinkAssignment>();
        var metrics = services.GetRequiredService<KafkaClientMetrics>();
        consumer.SetStatisticsHandler((_, json) => metrics.Statistics(json));
        consumer.SetPartitionsAssignedHandler((_, partitions) => assignment.Assigned(partitions));
        consumer.SetPartitionsRevokedHandler((_, partitions) => assignment.Revoked(partitions));
        consumer.SetPartitionsLostHandler((_, partitions) => assignment.Revoked(partitions));
    }
}
