using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using StreamMetrics.Contracts;
using StreamMetrics.ServiceDefaults;
using StreamMetrics.ServiceDefaults.Kafka;
using StreamMetrics.ServiceDefaults.Startup;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every service of the product shares.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>Path of the answer to "can it do its work?": every health check.</summary>
    public const string HealthPath = "/health";

    /// <summary>Path of the answer to "does the process still run?": the checks tagged <c>live</c>.</summary>
    public const string AlivePath = "/alive";

    const string LiveTag = "live";

    // Names of our own activity sources and meters, of the HTTP client and of the database client.
    static readonly string[] Sources = ["StreamMetrics.*", "System.Net.Http", "Npgsql"];

    /// <summary>
    /// Adds one-line console logs, OpenTelemetry (when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set), health checks, service discovery,
    /// resilient HTTP clients, and the check of <c>Kafka:Security</c> at start.
    /// </summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        StartupFailure.HandleBeforeHostRuns();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddOptions<KafkaSecurityOptions>().BindConfiguration(KafkaSecurityOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<KafkaSecurityOptions>, KafkaSecurityOptionsValidator>();
        AddConsole(builder);
        AddTelemetry(builder);
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [LiveTag]);
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        });
        return builder;
    }

    /// <summary>Maps <see cref="HealthPath"/> and <see cref="AlivePath"/>: 200 or 503, with the state of each check as JSON.</summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(HealthPath, new() { ResponseWriter = HealthReportWriter.WriteAsync }).ExcludeFromDescription();
        app.MapHealthChecks(AlivePath, new() { Predicate = check => check.Tags.Contains(LiveTag), ResponseWriter = HealthReportWriter.WriteAsync })
            .ExcludeFromDescription();
        return app;
    }

    static void AddConsole(IHostApplicationBuilder builder)
    {
        builder.Logging.AddConsole(console => console.FormatterName = ShortConsoleFormatter.FormatterName);
        builder.Logging.AddConsoleFormatter<ShortConsoleFormatter, ConsoleFormatterOptions>();

        // A line per request tells little and costs much.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("System.Net.Http", LogLevel.Warning);
        builder.Logging.AddFilter("Polly", LogLevel.Warning);

        // It logs every failed attempt with its stack; the services say in one line that Redis is away, and health checks say why.
        builder.Logging.AddFilter("StackExchange.Redis", LogLevel.None);
        builder.Logging.AddFilter("Npgsql", LogLevel.Warning);

        // Each failed check with its stack, every few seconds: /health tells, and so does whoever asks there.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);

        // These two log the exception that ends a start; RunServiceAsync tells it in one line instead, and logs a failed worker itself.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.", LogLevel.Warning);
    }

    static void AddTelemetry(IHostApplicationBuilder builder)
    {
        // Without a receiver nothing is recorded, so that nothing is paid for.
        if (string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"])) return;
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddAspNetCoreInstrumentation().AddRuntimeInstrumentation().AddMeter(Sources))
            .WithTracing(tracing =>
            {
                // Whoever sets the standard variable has a wish of his own; a sampler that is set here would win over it.
                if (string.IsNullOrEmpty(builder.Configuration["OTEL_TRACES_SAMPLER"])) tracing.SetSampler(new ParentBasedSampler(new BackgroundCallsSampler()));
                tracing.AddAspNetCoreInstrumentation(options => options.Filter = context => !IsHealthRequest(context.Request.Path)).AddSource(Sources);
            })
            .UseOtlpExporter();
    }

    static bool IsHealthRequest(PathString path) => path.StartsWithSegments(HealthPath) || path.StartsWithSegments(AlivePath);
}
