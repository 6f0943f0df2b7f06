using System.Data.Common;
using Aspire.Npgsql;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Microsoft.Extensions.Hosting;

public static class AspirePostgreSqlNpgsqlExtensions
{
    const string Section = "Aspire:Npgsql";

    // The name of Npgsql's own activity source and meter.
    const string TelemetryName = "Npgsql";

    public static void AddNpgsqlDataSource(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<NpgsqlSettings>? configureSettings = null,
        Action<NpgsqlDataSourceBuilder>? configureDataSourceBuilder = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        var settings = Settings(builder, connectionName, configureSettings);

        // Checked when the data source is asked for, not here: by then there is a logger.
        builder.Services.AddSingleton(services => Build(services, settings, connectionName, configureDataSourceBuilder));
        builder.Services.AddSingleton<DbDataSource>(services => services.GetRequiredService<NpgsqlDataSource>());
        builder.Services.AddTransient(services => services.GetRequiredService<NpgsqlDataSource>().CreateConnection());
        builder.Services.AddTransient<DbConnection>(services => services.GetRequiredService<NpgsqlConnection>());

        if (!settings.DisableHealthChecks) builder.Services.AddHealthChecks().AddCheck<DataSourceHealthCheck>("PostgreSql");
        if (!settings.DisableTracing) builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource(TelemetryName));
        if (!settings.DisableMetrics) builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(TelemetryName));
    }

    static NpgsqlSettings Settings(IHostApplicationBuilder builder, string connectionName, Action<NpgsqlSettings>? configure)
    {
        var settings = new NpgsqlSettings();
        builder.Configuration.GetSection(Section).Bind(settings);
        builder.Configuration.GetSection($"{Section}:{connectionName}").Bind(settings);
        settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
        configure?.Invoke(settings);
        return settings;
    }

    static NpgsqlDataSource Build(
        IServiceProvider services, NpgsqlSettings settings, string connectionName, Action<NpgsqlDataSourceBuilder>? configure)
    {
        if (string.IsNullOrEmpty(settings.ConnectionString))
        {
            throw new InvalidOperationException(
                $"ConnectionString is missing. It should be provided in 'ConnectionStrings:{connectionName}' "
                + $"or under the 'ConnectionString' key in '{Section}' or '{Section}:{connectionName}' configuration section.");
        }

        var source = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        source.UseLoggerFactory(services.GetService<ILoggerFactory>());
        configure?.Invoke(source);
        return source.Build();
    }

    sealed class DataSourceHealthCheck(NpgsqlDataSource source) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await using var command = source.CreateCommand("SELECT 1;");
                await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
                return HealthCheckResult.Healthy();
            }
            catch (DbException e)
            {
                return new(context.Registration.FailureStatus, e.Message, e);
            }
        }
    }
}
