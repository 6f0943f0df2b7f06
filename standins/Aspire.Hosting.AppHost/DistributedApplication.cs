using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Publishing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

public sealed class DistributedApplication(IHost host) : IAsyncDisposable, IDisposable
{
    public IServiceProvider Services => host.Services;

    public ResourceNotificationService ResourceNotifications => Services.GetRequiredService<ResourceNotificationService>();

    public ResourceCommandService ResourceCommands => Services.GetRequiredService<ResourceCommandService>();

    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => CreateBuilder(new DistributedApplicationOptions { Args = args });

    public static IDistributedApplicationBuilder CreateBuilder(DistributedApplicationOptions options) => new DistributedApplicationBuilder(options);

    /// <summary>Runs the resources until the application is stopped, or writes the manifest when it was asked for.</summary>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        if (Services.GetRequiredService<DistributedApplicationExecutionContext>().IsPublishMode)
        {
            await Services.GetRequiredService<ManifestPublisher>().PublishAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        await host.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => host.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken = default) => host.StopAsync(cancellationToken);

    public ValueTask DisposeAsync()
    {
        if (host is IAsyncDisposable disposable) return disposable.DisposeAsync();
        host.Dispose();
        return ValueTask.CompletedTask;
    }

    public void Dispose() => host.Dispose();
}
