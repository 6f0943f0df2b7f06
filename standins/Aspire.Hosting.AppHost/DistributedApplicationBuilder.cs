using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Orchestration;
using Aspire.Hosting.Publishing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

sealed class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    // Orderly stop: resources get this long before they are killed; the host gets a little more.
    static readonly TimeSpan StopTimeout = ProcessOrchestrator.StopTimeout + TimeSpan.FromSeconds(5);

    readonly HostApplicationBuilder _host;
    readonly DistributedApplicationEventing _eventing = new();

    public DistributedApplicationBuilder(DistributedApplicationOptions options)
    {
        AppHostDirectory = options.ProjectDirectory ?? ProjectDirectory() ?? Directory.GetCurrentDirectory();
        _host = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = options.Args, ContentRootPath = AppHostDirectory });
        var isPublish = _host.Configuration["Publishing:Publisher"] is not null || _host.Configuration["publisher"] is not null;
        ExecutionContext = new(isPublish ? DistributedApplicationOperation.Publish : DistributedApplicationOperation.Run);

        // Nobody would take what is sent there.
        if (!options.DisableDashboard && !DashboardHost.IsThere(_host.Configuration, options)) _host.Configuration[DashboardHost.OtlpKey] = null;

        // The framework's own life-cycle lines would stand between those of the resources; a failed start is told by the exception.
        _host.Logging.AddFilter("Microsoft", LogLevel.Warning);
        _host.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        _host.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        _host.Logging.AddFilter("System.Net.Http", LogLevel.Warning);
        _host.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopTimeout);
        _host.Services.TryAddSingleton(TimeProvider.System);
        _host.Services.AddHealthChecks();
        _host.Services.AddSingleton(ExecutionContext);
        _host.Services.AddSingleton<IDistributedApplicationEventing>(_eventing);
        _host.Services.AddSingleton<ResourceNotificationService>();
        _host.Services.AddSingleton<ResourceLoggerService>();
        _host.Services.AddSingleton<ResourceCommandService>();
        _host.Services.AddSingleton(options);
        _host.Services.AddSingleton<DashboardHost>();
        _host.Services.AddSingleton(_ => new DistributedApplicationModel(Resources));
        _host.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<ManifestPublisher>(services, AppHostDirectory));
        _host.Services.AddSingleton<IConsoleWriter, ConsoleWriter>();
        _host.Services.AddHostedService<ProcessOrchestrator>();
    }

    public string AppHostDirectory { get; }

    public ConfigurationManager Configuration => _host.Configuration;

    public IHostEnvironment Environment => _host.Environment;

    public IDistributedApplicationEventing Eventing => _eventing;

    public DistributedApplicationExecutionContext ExecutionContext { get; }

    public IResourceCollection Resources { get; } = new ResourceCollection();

    public IServiceCollection Services => _host.Services;

    public IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource
    {
        if (Resources.Any(r => string.Equals(r.Name, resource.Name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new DistributedApplicationException($"Cannot add resource with name '{resource.Name}': a resource with that name exists already.");
        }

        Resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource => new ResourceBuilder<T>(this, resource);

    public DistributedApplication Build() => new(_host.Build());

    /// <summary>The build writes it into the AppHost's assembly, as the real SDK does.</summary>
    static string? ProjectDirectory() =>
        Assembly.GetEntryAssembly()?.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(a => string.Equals(a.Key, "apphostprojectpath", StringComparison.OrdinalIgnoreCase))?.Value;
}
