using Microsoft.Extensions.Options;
using StreamMetrics.Aggregator.Catalog;
using StreamMetrics.Aggregator.Live;
using StreamMetrics.Contracts;
using StreamMetrics.ServiceDefaults.Kafka;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Aggregator;

/// <summary>The aggregator's parts.</summary>
static class AggregatorModule
{
    const string Section = "Aggregator";

    /// <summary>Adds the workers, and the live lane when a Redis is configured.</summary>
    /// <param name="builder">The host.</param>
    public static void AddAggregator(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<WorkerOptions>()
            .Configure(options =>
            {
                options.BootstrapServers = builder.Configuration.GetConnectionString("kafka") ?? "";
                foreach (var (name, value) in KafkaSecurity.Of(builder.Configuration)) options.Kafka[name] = value;
                options.Engine.InputPartitions = Topics.All.Single(t => t.Name == Topics.Events).Partitions;
            })
            .BindConfiguration(Section)
            .ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<WorkerOptions>>(new Validator<WorkerOptions>(options => options.Validate(Section)));
        builder.Services.AddSingleton<AggregatorMetrics>();
        builder.Services.AddOptions<CatalogOptions>().BindConfiguration(CatalogOptions.Section);
        builder.Services.AddSingleton<ServiceCatalog>();
        builder.Services.AddSingleton<IServiceCatalog>(services => services.GetRequiredService<ServiceCatalog>());
        if (builder.Configuration.GetConnectionString("redis") is { Length: > 0 } && builder.Configuration.GetValue($"{LiveLaneOptions.Section}:Enabled", true))
            AddLiveLane(builder);
        builder.Services.AddSingleton<WorkerService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<WorkerService>());
        builder.Services.AddHealthChecks().AddCheck<WorkerHealthCheck>("workers");
        builder.Services.AddOptions<HostOptions>()
            .Configure<IOptions<WorkerOptions>>((host, worker) => host.ShutdownTimeout = worker.Value.ShutdownTimeout + TimeSpan.FromSeconds(5));
    }

    static void AddLiveLane(IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<LiveLaneOptions>().BindConfiguration(LiveLaneOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<LiveLaneOptions>>(new Validator<LiveLaneOptions>(options => [.. options.Validate()]));
        builder.AddRedisClient(
            "redis",
            settings => settings.DisableTracing = true, // thousands of calls a second: a span each would cost more than the call
            redis =>
            {
                redis.AbortOnConnectFail = false;
                redis.AsyncTimeout = redis.SyncTimeout = 1_000; // beyond our own, which the sender watches
                redis.ConnectTimeout = 1_000;
                redis.BacklogPolicy = StackExchange.Redis.BacklogPolicy.FailFast;
            });
        builder.Services.AddSingleton<LiveShared>();
        builder.Services.AddSingleton<RedisLiveLane>();
        builder.Services.AddSingleton<ILiveLane>(services => services.GetRequiredService<RedisLiveLane>());
        builder.Services.AddHostedService<LiveSender>();
        builder.Services.AddHostedService<LiveAttendant>();
    }

    sealed class Validator<T>(Func<T, IReadOnlyList<string>> validate) : IValidateOptions<T>
        where T : class
    {
        public ValidateOptionsResult Validate(string? name, T options) =>
            validate(options) is { Count: > 0 } errors ? ValidateOptionsResult.Fail(errors) : ValidateOptionsResult.Success;
    }
}
