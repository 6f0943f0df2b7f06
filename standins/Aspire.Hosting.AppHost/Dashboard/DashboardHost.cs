using System.Security.Cryptography;
using Aspire.Hosting.ApplicationModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dashboard;

/// <summary>
/// The Aspire dashboard as a hidden resource, and the gRPC service that it asks for the resources. Its program is named by
/// <c>ASPIRE_DASHBOARD_PATH</c>, as for the real package; without one there is no dashboard.
/// </summary>
sealed class DashboardHost(
    IConfiguration configuration,
    DistributedApplicationOptions options,
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    ResourceCommandService commands,
    IHostEnvironment environment)
{
    public const string ResourceName = "aspire-dashboard";
    public const string PathKey = "ASPIRE_DASHBOARD_PATH";
    public const string OtlpKey = "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL";

    const string OtlpHttpKey = "ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL";
    const string FrontendKey = "ASPNETCORE_URLS";
    const string ResourceServiceKey = "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL";
    const string AnonymousKey = "ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS";
    const string ApiKeyHeader = "x-resource-service-api-key";

    readonly string _apiKey = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
    WebApplication? _server;

    /// <summary>Whether it was asked for and its program is there.</summary>
    public static bool IsThere(IConfiguration configuration, DistributedApplicationOptions options) =>
        !options.DisableDashboard && File.Exists(configuration[PathKey]);

    /// <summary>Starts the gRPC service; returns the dashboard to start, or null.</summary>
    public async Task<IResource?> StartAsync(CancellationToken cancellationToken)
    {
        if (!IsThere(configuration, options)) return null;
        foreach (var key in new[] { FrontendKey, OtlpKey })
        {
            if (string.IsNullOrEmpty(configuration[key])) throw new DistributedApplicationException($"The Aspire dashboard needs the configuration key {key}.");
        }

        if (configuration[AnonymousKey] != "true")
        {
            throw new NotSupportedException($"A dashboard with a login needs the real package Aspire.Hosting.AppHost; set {AnonymousKey}=true.");
        }

        _server = CreateServer();
        await _server.StartAsync(cancellationToken).ConfigureAwait(false);
        return CreateResource(configuration[PathKey]!, _server.Urls.First());
    }

    public async Task StopAsync()
    {
        if (_server is null) return;
        await _server.DisposeAsync().ConfigureAwait(false);
        _server = null;
    }

    WebApplication CreateServer()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = environment.EnvironmentName });
        builder.Logging.ClearProviders();
        builder.Configuration.Sources.Clear();
        var port = configuration[ResourceServiceKey] is { Length: > 0 } url ? new Uri(url).Port : 0;
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<IHostLifetime, OwnersLifetime>();
        builder.Services.AddSingleton(notifications).AddSingleton(loggers).AddSingleton(commands);
        builder.Services.AddSingleton(new ResourceMapper(commands.Services));
        builder.Services.AddSingleton(new ApplicationName(configuration["AppHost:DashboardApplicationName"] ?? Shorten(environment.ApplicationName)));
        var app = builder.Build();

        // Commands stop and start programs: only the dashboard that was started here may send them.
        app.Use((context, next) =>
        {
            if (context.Request.Headers[ApiKeyHeader] == _apiKey) return next(context);
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        });
        app.MapGrpcService<DashboardService>();
        return app;
    }

    ExecutableResource CreateResource(string program, string resourceServiceUrl)
    {
        var resource = new ExecutableResource(ResourceName, program, Path.GetDirectoryName(Path.GetFullPath(program))!);
        resource.Annotations.Add(new CommandLineArgsCallbackAnnotation(context =>
        {
            // The program has other uses than this one.
            if (Path.GetFileNameWithoutExtension(program) == "aspire-managed") context.Args.Add("dashboard");
            return Task.CompletedTask;
        }));
        resource.Annotations.Add(new EnvironmentCallbackAnnotation(context =>
        {
            var variables = context.EnvironmentVariables;
            foreach (var key in new[] { FrontendKey, OtlpKey, OtlpHttpKey, AnonymousKey })
            {
                if (configuration[key] is { Length: > 0 } value) variables[key] = value;
            }

            variables[ResourceServiceKey] = resourceServiceUrl;
            variables["DASHBOARD__RESOURCESERVICECLIENT__AUTHMODE"] = "ApiKey";
            variables["DASHBOARD__RESOURCESERVICECLIENT__APIKEY"] = _apiKey;
            variables["ASPNETCORE_ENVIRONMENT"] = "Production";
            variables["LOGGING__LOGLEVEL__DEFAULT"] = "Error";
            variables["LOGGING__LOGLEVEL__MICROSOFT.ASPNETCORE"] = "Error";
            return Task.CompletedTask;
        }));
        return resource;
    }

    /// <summary>As the real package shows it: StreamMetrics.AppHost is StreamMetrics.</summary>
    static string Shorten(string name) =>
        name.EndsWith(".AppHost", StringComparison.OrdinalIgnoreCase) ? name[..^".AppHost".Length] : name;
}

/// <summary>
/// The server ends when its owner says so. The default listens to Ctrl-C by itself, and would leave the dashboard, which stops last, alone.
/// </summary>
sealed class OwnersLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>What the dashboard calls the application.</summary>
sealed record ApplicationName(string Value);
