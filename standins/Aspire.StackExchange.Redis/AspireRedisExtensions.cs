using Aspire.StackExchange.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace Microsoft.Extensions.Hosting;

public static class AspireRedisExtensions
{
    const string Section = "Aspire:StackExchange:Redis";

    public static void AddRedisClient(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<StackExchangeRedisSettings>? configureSettings = null,
        Action<ConfigurationOptions>? configureOptions = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        var settings = Settings(builder, connectionName, configureSettings);
        if (!settings.DisableTracing)
        {
            throw new NotSupportedException(
                "Spans of Redis commands need the real package Aspire.StackExchange.Redis; set DisableTracing to true in configureSettings.");
        }

        builder.Services.AddSettings(settings);
        builder.Services.Configure<ConfigurationOptions>(options =>
        {
            builder.Configuration.GetSection($"{Section}:ConfigurationOptions").Bind(options);
            builder.Configuration.GetSection($"{Section}:{connectionName}:ConfigurationOptions").Bind(options);
            configureOptions?.Invoke(options);
        });
        builder.Services.AddSingleton<IConnectionMultiplexer>(services => Connect(services, connectionName));
        if (!settings.DisableAutoActivation) builder.Services.ActivateSingleton<IConnectionMultiplexer>();
        if (!settings.DisableHealthChecks) builder.Services.AddHealthChecks().AddCheck<PingHealthCheck>("StackExchange.Redis");
    }

    static StackExchangeRedisSettings Settings(
        IHostApplicationBuilder builder, string connectionName, Action<StackExchangeRedisSettings>? configure)
    {
        var settings = new StackExchangeRedisSettings();
        builder.Configuration.GetSection(Section).Bind(settings);
        builder.Configuration.GetSection($"{Section}:{connectionName}").Bind(settings);
        settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
        configure?.Invoke(settings);
        return settings;
    }

    static void AddSettings(this IServiceCollection services, StackExchangeRedisSettings settings) =>
        services.AddTransient<IOptionsFactory<ConfigurationOptions>>(provider => new ParsingFactory(
            settings,
            provider.GetServices<IConfigureOptions<ConfigurationOptions>>(),
            provider.GetServices<IPostConfigureOptions<ConfigurationOptions>>(),
            provider.GetServices<IValidateOptions<ConfigurationOptions>>()));

    static ConnectionMultiplexer Connect(IServiceProvider services, string connectionName)
    {
        var options = services.GetRequiredService<IOptions<ConfigurationOptions>>().Value;
        if (options.EndPoints.Count == 0)
        {
            throw new InvalidOperationException(
                $"No endpoints specified. Ensure a valid connection string was provided in 'ConnectionStrings:{connectionName}' "
                + $"or for the '{Section}:ConnectionString' configuration key.");
        }

        options.LoggerFactory ??= services.GetService<ILoggerFactory>();
        return ConnectionMultiplexer.Connect(options);
    }

    // A connection string becomes a new ConfigurationOptions, which only an options factory can hand on.
    sealed class ParsingFactory(
        StackExchangeRedisSettings settings,
        IEnumerable<IConfigureOptions<ConfigurationOptions>> setups,
        IEnumerable<IPostConfigureOptions<ConfigurationOptions>> postConfigures,
        IEnumerable<IValidateOptions<ConfigurationOptions>> validations)
        : OptionsFactory<ConfigurationOptions>(setups, postConfigures, validations)
    {
        protected override ConfigurationOptions CreateInstance(string name)
        {
            var options = settings.ConnectionString is { } text ? ConfigurationOptions.Parse(text) : base.CreateInstance(name);
            if (options.Defaults.GetType() == typeof(DefaultOptionsProvider)) options.Defaults = new KeepTrying();
            return options;
        }
    }

    // A server that is down when the client starts is tried again instead of failing the start.
    sealed class KeepTrying : DefaultOptionsProvider
    {
        public override bool AbortOnConnectFail => false;
    }

    sealed class PingHealthCheck(IServiceProvider services) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await services.GetRequiredService<IConnectionMultiplexer>().GetDatabase().PingAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
                return HealthCheckResult.Healthy();
            }
            catch (Exception e) when (e is RedisException or RedisTimeoutException or InvalidOperationException or ArgumentException)
            {
                return new(context.Registration.FailureStatus, e.Message, e);
            }
        }
    }
}
